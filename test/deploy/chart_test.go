package deploy

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	"sigs.k8s.io/yaml"
)

const (
	deployment = "Deployment kratix-schedule/kratix-schedule"
	itself     = "Namespace /kratix-schedule"
	policy     = "ValidatingAdmissionPolicy /kratix-schedule-places"
	binding    = "ValidatingAdmissionPolicyBinding /kratix-schedule-places"
)

func TestChartEqualsKustomizeBuild(t *testing.T) {
	for name, test := range map[string]struct {
		values string
		dirs   []string
		less   []string
	}{
		"by default the base": {"", []string{"base"}, []string{itself}},
		"with the namespace":  {"namespace: {create: true}", []string{"base"}, nil},
		"observe":             {"mode: observe", []string{"observe"}, []string{itself}},
		"promote":             {"mode: promote", []string{"promote"}, []string{itself}},
		"schedule":            {"mode: schedule", []string{"schedule"}, []string{itself}},
		"schedule, no policy": {"{mode: schedule, admissionPolicy: {create: false}}", []string{"schedule"}, []string{itself, policy, binding}},
		"secrets":             {"secrets: {namespaces: [default]}", []string{"base", "secrets"}, []string{itself}},
		"monitoring":          {"serviceMonitor: {enabled: true}", []string{"base", "monitoring"}, []string{itself}},
		"no network policy":   {"networkPolicy: {enabled: false}", []string{"base"}, []string{itself, "NetworkPolicy kratix-schedule/kratix-schedule"}},
		"no budget":           {"podDisruptionBudget: {enabled: false}", []string{"base"}, []string{itself, "PodDisruptionBudget kratix-schedule/kratix-schedule"}},
	} {
		t.Run(name, func(t *testing.T) {
			want := build(t, test.dirs...)
			for _, id := range test.less {
				if want[id] == nil {
					t.Fatalf("kustomize builds no %s", id)
				}
			}
			if diff := cmp.Diff(want.without(test.less...), render(t, release, test.values)); diff != "" {
				t.Errorf("-kustomize +Helm:\n%s", diff)
			}
		})
	}
}

func TestRequestsAreGrantedByKind(t *testing.T) {
	const role, binding = "ClusterRole /kratix-schedule-requests", "ClusterRoleBinding /kratix-schedule-requests"
	want, made := build(t, "requests", "health-records"), render(t, release, "{requests: {enabled: true}, healthRecords: {enabled: true}}")
	for _, id := range []string{role, binding, "ClusterRole /kratix-schedule-health-records", "ClusterRoleBinding /kratix-schedule-health-records"} {
		if diff := cmp.Diff(want[id], made[id]); diff != "" || want[id] == nil {
			t.Errorf("%s: -kustomize +Helm:\n%s", id, diff)
		}
	}
	made = render(t, release, "requests: {enabled: true, apis: [{group: marketplace.kratix.io, resource: redises}]}")
	if got := fmt.Sprint(made.at(t, role, "rules", 1)); got != "map[apiGroups:[marketplace.kratix.io] resources:[redises/status] verbs:[get patch]]" {
		t.Error(got)
	}
	if made := render(t, release, "requests: {enabled: false, apis: [{group: marketplace.kratix.io, resource: redises}]}"); made[role] != nil || made[binding] != nil {
		t.Error("requests are granted although they are off")
	}
}

func TestChartHasTheSameDefinitions(t *testing.T) {
	made := render(t, release, "crds: {enabled: true}")
	want := build(t, "base", "crds").without(itself)
	kept := 0
	for id := range want {
		if !strings.HasPrefix(id, "CustomResourceDefinition ") {
			continue
		}
		annotations, _ := made.at(t, id, "metadata", "annotations").(map[string]any)
		if annotations["helm.sh/resource-policy"] != "keep" {
			t.Errorf("%s would go with the release", id)
		}
		delete(annotations, "helm.sh/resource-policy")
		kept++
	}
	if diff := cmp.Diff(want, made); diff != "" || kept < 5 {
		t.Errorf("%d definitions; -kustomize +Helm:\n%s", kept, diff)
	}
}

func TestChartHasOnlyItsOwnDefinitionsBesideKratix(t *testing.T) {
	made, want := render(t, release, "crds: {own: true}"), build(t, "base", "crds/own").without(itself)
	for id := range want {
		if made[id] == nil {
			t.Errorf("%s is missing", id)
		}
	}
	for id := range made {
		if want[id] == nil {
			t.Errorf("%s is not in the kustomization", id)
		}
	}
}

func TestChartHasNothingToLint(t *testing.T) {
	for _, values := range []map[string]any{nil, {"mode": "observe", "crds": map[string]any{"enabled": true}, "secrets": map[string]any{"namespaces": []any{"a", "b"}}}} {
		for _, message := range lint.All(chartDir, values, release, true).Messages {
			if message.Severity > support.InfoSev {
				t.Errorf("%s", message)
			}
		}
	}
}

func TestReleaseOfAnotherNameIsComplete(t *testing.T) {
	made := render(t, "other", "{mode: schedule, secrets: {namespaces: [stores]}, requests: {enabled: true}, healthRecords: {enabled: true}}")
	for id := range made {
		_, name, _ := strings.Cut(id, "/")
		if !slices.Contains([]string{"other", "other-lease", "other-profiles", "other-secrets", "other-places", "other-probe", "other-requests", "other-health-records"}, name) {
			t.Errorf("%s does not have the release's name", id)
		}
	}
	for id, path := range map[string][]any{
		"Deployment kratix-schedule/other":           {"spec", "template", "spec", "serviceAccountName"},
		"ClusterRoleBinding /other":                  {"subjects", 0, "name"},
		"RoleBinding kratix-schedule/other-lease":    {"subjects", 0, "name"},
		"RoleBinding kratix-schedule/other-profiles": {"subjects", 0, "name"},
		"RoleBinding stores/other-secrets":           {"subjects", 0, "name"},

		"RoleBinding kratix-platform-system/other-probe": {"subjects", 0, "name"},
	} {
		if got := made.at(t, id, path...); got != "other" {
			t.Errorf("%s %v is %v", id, path, got)
		}
	}
}

func TestKratixServiceAccountIsTheOneThatIsSet(t *testing.T) {
	made := render(t, "other", "{mode: schedule, kratix: {serviceAccount: {name: manager, namespace: platform}}, admissionPolicy: {validationActions: [Deny, Audit]}}")
	for _, want := range []struct {
		id   string
		path []any
		is   string
	}{
		{"ValidatingAdmissionPolicy /other-places", []any{"spec", "matchConditions", 0, "expression"}, "request.userInfo.username == 'system:serviceaccount:platform:manager'"},
		{"ValidatingAdmissionPolicyBinding /other-places", []any{"spec", "policyName"}, "other-places"},
		{"ValidatingAdmissionPolicyBinding /other-places", []any{"spec", "validationActions"}, "[Deny Audit]"},
		{"Role platform/other-probe", []any{"rules", 0, "resourceNames"}, "[manager]"},
		{
			"Deployment kratix-schedule/other", []any{"spec", "template", "spec", "containers", 0, "args"},
			"[run --kube --schedule-only --leader-elect --listen=:8080 --listen-page=127.0.0.1:8081 --events-secret-file=/etc/kratix-schedule/events/token --git-events-secret-file=/etc/kratix-schedule/events/git --kratix-service-account=platform/manager]",
		},
	} {
		if got := fmt.Sprint(made.at(t, want.id, want.path...)); got != want.is {
			t.Errorf("%s %v is %s, want %s", want.id, want.path, got, want.is)
		}
	}
	for id, object := range made {
		if text := fmt.Sprint(object); strings.Contains(text, "kratix-platform") {
			t.Errorf("%s names the default ServiceAccount: %s", id, text)
		}
	}
}

func TestNotesNameTheCauseThatLetsKratixPlace(t *testing.T) {
	for values, want := range map[string]string{
		"mode: schedule": "Kratix's ServiceAccount kratix-platform-system/kratix-platform-controller-manager may create no WorkPlacement",
		"{mode: schedule, admissionPolicy: {create: false}}":              "No policy is installed",
		"{mode: schedule, admissionPolicy: {validationActions: [Audit]}}": "The policy denies nothing",
		"mode: observe": "observes beside Kratix",
		"mode: promote": "Kratix must write to others",
		"mode: manage":  "Kratix's own must not run at the same time",
	} {
		if got := notes(t, values); !strings.Contains(got, want) {
			t.Errorf("%s: the notes are\n%s\nwant %q", values, got, want)
		}
	}
}

func TestOptions(t *testing.T) {
	pod := []any{"spec", "template", "spec"}
	container := append(slices.Clone(pod), "containers", 0)
	at := func(base []any, more ...any) []any { return append(slices.Clone(base), more...) }
	for values, want := range map[string]struct {
		path []any
		is   string
	}{
		"image: {repository: registry.example.com:5000/team/it, tag: v1.2.3}":                 {at(container, "image"), `"registry.example.com:5000/team/it:v1.2.3"`},
		"image: {digest: sha256:" + strings.Repeat("a", 64) + "}":                             {at(container, "image"), `"kratix-schedule@sha256:` + strings.Repeat("a", 64) + `"`},
		"image: {pullPolicy: Always}":                                                         {at(container, "imagePullPolicy"), `"Always"`},
		"imagePullSecrets: [{name: registry}]":                                                {at(pod, "imagePullSecrets"), `[{"name":"registry"}]`},
		"replicas: 5":                                                                         {[]any{"spec", "replicas"}, `5`},
		"terminationGracePeriodSeconds: 90":                                                   {at(pod, "terminationGracePeriodSeconds"), `90`},
		"extraArgs: [--on-conflict=share, --interval=1m]":                                     {at(container, "args"), `["run","--kube","--leader-elect","--listen=:8080","--listen-page=127.0.0.1:8081","--events-secret-file=/etc/kratix-schedule/events/token","--git-events-secret-file=/etc/kratix-schedule/events/git","--on-conflict=share","--interval=1m"]`},
		`extraArgs: ['--commit-trailer=Ticket: {{.Annotation "example.com/ticket"}}']`:        {at(container, "args"), `["run","--kube","--leader-elect","--listen=:8080","--listen-page=127.0.0.1:8081","--events-secret-file=/etc/kratix-schedule/events/token","--git-events-secret-file=/etc/kratix-schedule/events/git","--commit-trailer=Ticket: {{.Annotation \"example.com/ticket\"}}"]`},
		"{mode: observe, extraArgs: [--log-level=debug]}":                                     {at(container, "args"), `["run","--kube","--dry-run","--leader-elect","--listen=:8080","--listen-page=127.0.0.1:8081","--events-secret-file=/etc/kratix-schedule/events/token","--git-events-secret-file=/etc/kratix-schedule/events/git","--log-level=debug"]`},
		"{mode: promote, extraArgs: [--live-store=GitStateStore/default=GitStateStore/live]}": {at(container, "args"), `["run","--kube","--promote","--leader-elect","--listen=:8080","--listen-page=127.0.0.1:8081","--events-secret-file=/etc/kratix-schedule/events/token","--git-events-secret-file=/etc/kratix-schedule/events/git","--live-store=GitStateStore/default=GitStateStore/live"]`},
		"resources: {limits: {memory: 4Gi}}":                                                  {at(container, "resources"), `{"limits":{"memory":"4Gi"},"requests":{"cpu":"100m","memory":"128Mi"}}`},
		"nodeSelector: {disk: fast}":                                                          {at(pod, "nodeSelector"), `{"disk":"fast"}`},
		"tolerations: [{key: a, operator: Exists, effect: NoSchedule}]":                       {at(pod, "tolerations"), `[{"effect":"NoSchedule","key":"a","operator":"Exists"}]`},
		"affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname}]}}": {at(pod, "affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution", 0, "topologyKey"), `"kubernetes.io/hostname"`},
		"requests: {enabled: true}":      {at(container, "args"), `["run","--kube","--leader-elect","--listen=:8080","--listen-page=127.0.0.1:8081","--events-secret-file=/etc/kratix-schedule/events/token","--git-events-secret-file=/etc/kratix-schedule/events/git","--request-status"]`},
		"commitsPerMinute: 0":            {at(container, "args"), `["run","--kube","--leader-elect","--listen=:8080","--listen-page=127.0.0.1:8081","--events-secret-file=/etc/kratix-schedule/events/token","--git-events-secret-file=/etc/kratix-schedule/events/git","--commits-per-minute=0"]`},
		"healthRecords: {enabled: true}": {at(container, "args"), `["run","--kube","--leader-elect","--listen=:8080","--listen-page=127.0.0.1:8081","--events-secret-file=/etc/kratix-schedule/events/token","--git-events-secret-file=/etc/kratix-schedule/events/git","--health-records"]`},
		"podAnnotations: {a: b}":         {[]any{"spec", "template", "metadata", "annotations"}, `{"a":"b"}`},
	} {
		got, err := json.Marshal(render(t, release, values).at(t, deployment, want.path...))
		if err != nil || string(got) != want.is {
			t.Errorf("%s: %v is %s, want %s", values, want.path, got, want.is)
		}
	}
	annotated := render(t, release, "serviceAccount: {annotations: {eks.amazonaws.com/role-arn: it}}")
	if got := annotated.at(t, "ServiceAccount kratix-schedule/kratix-schedule", "metadata", "annotations", "eks.amazonaws.com/role-arn"); got != "it" {
		t.Errorf("the ServiceAccount's annotation is %v", got)
	}
	monitored := render(t, release, "serviceMonitor: {enabled: true, labels: {release: prometheus}}")
	if got := monitored.at(t, "ServiceMonitor kratix-schedule/kratix-schedule", "metadata", "labels", "release"); got != "prometheus" {
		t.Errorf("the ServiceMonitor's label is %v", got)
	}
	if _, blocks := render(t, release, "replicas: 1")["PodDisruptionBudget kratix-schedule/kratix-schedule"]; blocks {
		t.Error("with one replica a budget keeps nodes from being drained")
	}
}

func TestEachShardIsADeployment(t *testing.T) {
	for _, mode := range []string{"manage", "promote"} {
		made := render(t, release, "{mode: "+mode+", shards: [one, two], replicas: 3, networkPolicy: {enabled: true}}")
		for shard, selector := range map[string]string{
			"default": "!sharding.kratix-schedule.io/key", "one": "sharding.kratix-schedule.io/key=one", "two": "sharding.kratix-schedule.io/key=two",
		} {
			name := " kratix-schedule/kratix-schedule-" + shard
			pod := []any{"spec", "template"}
			if got := fmt.Sprint(made.at(t, "Deployment"+name, append(pod, "spec", "containers", 0, "args")...)); !strings.Contains(got, " --leader-elect --watch-label-selector="+selector+" ") {
				t.Errorf("%s: the arguments are %s", shard, got)
			}
			want := map[string]any{"app.kubernetes.io/name": "kratix-schedule", "kratix-schedule.io/shard": shard}
			for _, path := range [][]any{{"metadata", "labels"}, {"spec", "selector", "matchLabels"}, append(pod, "metadata", "labels"), append(pod, "spec", "topologySpreadConstraints", 0, "labelSelector", "matchLabels")} {
				if diff := cmp.Diff(any(want), made.at(t, "Deployment"+name, path...)); diff != "" {
					t.Errorf("%s %v: %s", shard, path, diff)
				}
			}
			if diff := cmp.Diff(any(want), made.at(t, "PodDisruptionBudget"+name, "spec", "selector", "matchLabels")); diff != "" {
				t.Errorf("%s: the budget is of %s", shard, diff)
			}
			if replicas := fmt.Sprint(made.at(t, "Deployment"+name, "spec", "replicas")); replicas != "3" {
				t.Errorf("%s has %s replicas", shard, replicas)
			}
		}
		if got := fmt.Sprint(made.at(t, "Service kratix-schedule/kratix-schedule", "spec", "selector")); got != "map[app.kubernetes.io/name:kratix-schedule]" {
			t.Errorf("the Service is of %s", got)
		}
		if made[deployment] != nil {
			t.Error("there is a Deployment for all state stores too")
		}
	}
	if got := notes(t, "shards: [one]"); !strings.Contains(got, "label sharding.kratix-schedule.io/key=one") || !strings.Contains(got, "deployment/kratix-schedule-one") {
		t.Errorf("the notes are\n%s", got)
	}
}

func TestWrongValuesAreRefused(t *testing.T) {
	for values, named := range map[string]string{
		"mod: observe":                          "mod",
		"mode: watch":                           "/mode",
		"replicas: two":                         "/replicas",
		"{mode: observe, shards: [one]}":        "/shards",
		"{mode: schedule, shards: [one]}":       "/shards",
		"shards: 3":                             "/shards",
		"shards: [default]":                     "/shards/0",
		"shards: [One]":                         "/shards/0",
		"shards: [one, one]":                    "/shards",
		"extraArgs: [--watch-label-selector=a]": "/extraArgs/0",

		"kratix: {serviceAccount: manager}":                  "/kratix/serviceAccount",
		"kratix: {serviceAccount: {name: a:b}}":              "/kratix/serviceAccount/name",
		"kratix: {serviceAccount: {namespace: null}}":        "/kratix/serviceAccount",
		"kratix: {serviceaccount: {}}":                       "serviceaccount",
		"admissionPolicy: {enabled: true}":                   "enabled",
		"admissionPolicy: {validationActions: []}":           "/admissionPolicy/validationActions",
		"admissionPolicy: {validationActions: [deny]}":       "/admissionPolicy/validationActions/0",
		"admissionPolicy: {validationActions: [Deny, Warn]}": "/admissionPolicy/validationActions",
		"extraArgs: [--schedule-only]":                       "/extraArgs/0",
		"extraArgs: [--promote]":                             "/extraArgs/0",
		"extraArgs: [--kratix-service-account=a/b]":          "/extraArgs/0",

		"replicasShare: true":                   "replicasShare",
		"replicas: -1":                          "/replicas",
		"image: kratix-schedule:v1":             "/image",
		"image: {repository: it:v1}":            "/image/repository",
		"image: {repo: it}":                     "repo",
		"image: {tag: 1.2}":                     "/image/tag",
		"image: {digest: abc}":                  "/image/digest",
		"image: {pullPolicy: never}":            "/image/pullPolicy",
		"imagePullSecrets: [registry]":          "/imagePullSecrets/0",
		"extraArgs: --on-conflict=share":        "/extraArgs",
		"extraArgs: [on-conflict]":              "/extraArgs/0",
		"extraArgs: [--listen=:80]":             "/extraArgs/0",
		"extraArgs: [--dry-run]":                "/extraArgs/0",
		"resources: {limits: {memory: lots}}":   "/resources/limits/memory",
		"resources: {limits: {memory: null}}":   "/resources/limits",
		"resources: {limit: {}}":                "limit",
		"terminationGracePeriodSeconds: 40s":    "/terminationGracePeriodSeconds",
		"serviceAccount: {annotations: {a: 1}}": "/serviceAccount/annotations/a",
		"secrets: {namespaces: default}":        "/secrets/namespaces",
		"secrets: {namespaces: [a, a]}":         "/secrets/namespaces",
		"secrets: {namespaces: [\"*\"]}":        "/secrets/namespaces/0",
		"secrets: [default]":                    "/secrets",
		"nodeSelector: {a: true}":               "/nodeSelector/a",
		"tolerations: [{operator: exists}]":     "/tolerations/0/operator",
		"affinity: {node: {}}":                  "node",
		"podAnnotations: [a]":                   "/podAnnotations",
		"podDisruptionBudget: false":            "/podDisruptionBudget",
		"networkPolicy: {enable: true}":         "enable",
		"networkPolicy: {from: [{}]}":           "/networkPolicy/from/0",
		"networkPolicy: {from: [{pods: {}}]}":   "pods",
		"serviceMonitor: {enabled: \"yes\"}":    "/serviceMonitor/enabled",
		"crds: true":                            "/crds",
		"namespace: kratix":                     "/namespace",
	} {
		_, err := tryRender(t, release, values)
		if err == nil || !strings.Contains(err.Error(), "schema") || !strings.Contains(err.Error(), named) {
			t.Errorf("%s: %v", values, err)
		}
	}
}

func TestSchemaHasTheValues(t *testing.T) {
	var values, schema map[string]any
	for file, into := range map[string]*map[string]any{"values.yaml": &values, "values.schema.json": &schema} {
		text, err := os.ReadFile(chartDir + "/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.UnmarshalStrict(text, into); err != nil {
			t.Fatal(err)
		}
	}
	properties, _ := schema["properties"].(map[string]any)
	for name := range properties {
		if _, told := values[name]; !told && name != "global" {
			t.Errorf("values.yaml does not tell of %s", name)
		}
	}
	if len(properties) != len(values)+1 {
		t.Errorf("%d values, and %d properties beside global", len(values), len(properties)-1)
	}
}
