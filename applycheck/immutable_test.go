package applycheck

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
)

const job = `
apiVersion: batch/v1
kind: Job
metadata: {name: a, namespace: shop}
spec:
  completions: 1
  template:
    spec:
      restartPolicy: Never
      containers: [{name: c, image: a, command: [sh]}]
`

const statefulSet = `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: a, namespace: shop}
spec:
  serviceName: a
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: a}]}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
`

func change(t *testing.T, stored, wanted string) []string {
	t.Helper()
	root := rootOf(t, "resources")
	root.Claims = []dedupe.Claim{claimOf(t, "resources/a/a.yaml", wanted, stored)}
	return describe(CheckClaims(Input{Cluster: clusterOf(t, "1.36", nil), Roots: []dedupe.Root{root}})[0])
}

func TestChangesThatTheServerRefuses(t *testing.T) {
	configMap := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nimmutable: true\ndata: {a: b}\n"
	service := "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {clusterIP: 10.0.0.1, ports: [{port: 80}]}\n"
	binding := "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: a}\nroleRef: {kind: Role, name: a, apiGroup: rbac.authorization.k8s.io}\n"
	owned := strings.Replace(shop, "size: 2", "size: 2, owner: a", 1)
	for _, test := range []struct{ name, stored, old, now, want string }{
		{"selector", deployment, "app: web", "app: shop", `KS107 error 8: Deployment shop/web: spec.selector: Invalid value: {"matchLabels":{"app":"shop"}}: field is immutable`},
		{"selector label added", deployment, "app: web", "app: web, tier: a", `KS107 error 8: Deployment shop/web: spec.selector: Invalid value: {"matchLabels":{"app":"web","tier":"a"}}: field is immutable`},
		{"replicas", deployment, "replicas: 1", "replicas: 2", ""},
		{"job image", job, "image: a", "image: b", "KS107 error 6: Job shop/a: spec.template: Invalid value"},
		{"job command", job, ", command: [sh]", "", "KS107 error 6: Job shop/a: spec.template: Invalid value"},
		{"job completions", job, "completions: 1", "completions: 2", "KS107 error 5: Job shop/a: spec.completions: Invalid value: 2: field is immutable"},
		{"job backoff", job, "completions: 1", "completions: 1\n  backoffLimit: 2", ""},
		{"stateful set service", statefulSet, "serviceName: a", "serviceName: b", "KS107 error 4: StatefulSet shop/a: spec: Forbidden: updates to statefulset spec"},
		{"stateful set storage", statefulSet, "1Gi", "2Gi", "KS107 error 4: StatefulSet shop/a: spec: Forbidden: updates to statefulset spec"},
		{"equal storage", statefulSet, "1Gi", "1024Mi", ""},
		{"stateful set image", statefulSet, "image: a", "image: b", ""},
		{"data", configMap, "a: b", "a: c", "KS107 error 5: ConfigMap a: data: Forbidden: field is immutable when `immutable` is set"},
		{"immutable", configMap, "immutable: true\n", "", "KS107 error 1: ConfigMap a: immutable: Forbidden: field is immutable when `immutable` is set"},
		{"clusterIP", service, "10.0.0.1", "10.0.0.2", `KS107 error 4: Service a: spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set`},
		{"clusterIP goes", service, "clusterIP: 10.0.0.1, ", "", ""},
		{"roleRef", binding, "name: a, api", "name: b, api", `KS107 error 4: RoleBinding a: roleRef.name: Invalid value: "b": cannot change roleRef`},
		{"roleRef without its group", binding, ", apiGroup: rbac.authorization.k8s.io", "", ""},
		{"scope", definition, "scope: Namespaced", "scope: Cluster", `KS107 error 1: CustomResourceDefinition shops.example.com: spec.scope: Invalid value: "Cluster": field is immutable`},
		{"transition rule", definition + "---" + owned, "owner: a", "owner: b", `KS107 error 26: Shop shop/a: spec.owner: Invalid value: "b": the owner stays`},
		{"no transition", definition + "---" + owned, "size: 2", "size: 3", ""},
		{"forced", strings.Replace(deployment, "name: web", "name: web\n  annotations: {kustomize.toolkit.fluxcd.io/force: enabled}", 1), "app: web", "app: shop", ""},
		{"refused before", strings.Replace(deployment, "replicas: 1", "replicas: a", 1), "app: web", "app: shop", "KS104"},
		{"variable", deployment, "app: web", "app: ${x}", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := change(t, test.stored, strings.ReplaceAll(test.stored, test.old, test.now))
			if (test.want == "") != (len(got) == 0) || len(got) > 1 || len(got) == 1 && !strings.HasPrefix(got[0], test.want) {
				t.Error(cmp.Diff([]string{test.want}, got))
			}
			if got := change(t, test.stored, test.stored); test.want != "KS104" && len(got) > 0 {
				t.Error("unchanged:", got)
			}
		})
	}
}

func TestFaultOfACustomResourceThatIsStoredAlreadyIsAWarning(t *testing.T) {
	stored := definition + "---" + strings.Replace(shop, "size: 2", "size: 0", 1)
	got := change(t, stored, strings.Replace(stored, "{size: 0}", "{size: 0, color: red}", 1))
	if len(got) != 1 || !strings.HasPrefix(got[0], "KS104 warning") {
		t.Error(got)
	}
}
