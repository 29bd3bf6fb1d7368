package agent_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
)

func fluxBody(t *testing.T, severity, reason, message string, metadata map[string]string) []byte {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"involvedObject": map[string]string{"kind": "Kustomization", "namespace": "flux-system", "name": "worker-1-resources", "apiVersion": "kustomize.toolkit.fluxcd.io/v1"},
		"severity":       severity, "timestamp": "2026-11-30T05:00:00Z", "message": message, "reason": reason,
		"metadata": metadata, "reportingController": "kustomize-controller",
	})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func metadata() map[string]string {
	return map[string]string{"destination": "worker-1", "root": "resources", "health": "checked", "revision": "main@sha1:0123456789012345678901234567890123456789"}
}

// fluxMessages are messages of kustomize-controller.
var fluxMessages = map[string]struct {
	severity, reason, message string
	outcome                   agent.Outcome
	objects                   []agent.Object
	files                     []string
}{
	"objects are applied": {
		severity: "info", reason: "Progressing", message: "Namespace/shop created\nDeployment/shop/web configured",
		outcome: agent.Applied,
	},
	"a cluster role with a colon is applied": {
		severity: "info", reason: "Progressing", message: "ClusterRole/system:aggregate-to-shop created",
		outcome: agent.Applied,
	},
	"objects are pruned": {
		severity: "info", reason: "Progressing", message: "Deployment/shop/web deleted\nConfigMap/shop/kept skipped",
		outcome: agent.Applied,
	},
	"the Kustomization is deleted": {
		severity: "info", reason: "ReconciliationSucceeded", message: "Deployment/shop/web deleted",
		outcome: agent.Progressing,
	},
	"the Kustomization cannot be deleted": {
		severity: "error", reason: "ReconciliationSucceeded", message: "pruning for deleted resource failed",
		outcome: agent.PruneFailed,
	},
	"the health check passed": {
		severity: "info", reason: "Progressing", message: "Health check passed in 5.024513459s",
		outcome: agent.Healthy,
	},
	"the reconciliation is finished": {
		severity: "info", reason: "ReconciliationSucceeded", message: "Reconciliation finished in 5.324513459s, next run in 10m0s",
		outcome: agent.Healthy,
	},
	"a dependency is not ready": {
		severity: "info", reason: "DependencyNotReady", message: "Dependencies do not meet ready condition, retrying in 5s",
		outcome: agent.Progressing,
	},
	"a new revision cancels the health checks": {
		severity: "info", reason: "HealthCheckCanceled", message: "Health checks canceled due to new reconciliation triggered by GitRepository/flux-system/worker-1",
		outcome: agent.Progressing,
	},
	"the status cannot be written": {
		severity: "error", reason: "Progressing", message: `failed to update status: Operation cannot be fulfilled on kustomizations.kustomize.toolkit.fluxcd.io "worker-1-resources": the object has been modified`,
		outcome: agent.Progressing,
	},
	"the healthy status cannot be written": {
		severity: "error", reason: "HealthCheckFailed", message: "unable to update the healthy status to progressing: etcdserver: request timed out",
		outcome: agent.Applied,
	},
	"the directory is missing": {
		severity: "error", reason: "ArtifactFailed",
		message: "kustomization path not found: stat /tmp/kustomization-1066512683/worker-1/resources: no such file or directory",
		outcome: agent.BuildFailed,
	},
	"the artifact cannot be fetched": {
		severity: "error", reason: "ArtifactFailed",
		message: "failed to download archive, error: GET http://source-controller.flux-system.svc/gitrepository/flux-system/worker-1/0123.tar.gz giving up after 10 attempt(s)",
		outcome: agent.BuildFailed,
	},
	"an expression of the Kustomization is wrong": {
		severity: "error", reason: "InvalidCELExpression", message: "Reconciliation failed terminally due to configuration error: failed to parse expression",
		outcome: agent.ApplyFailed,
	},
	"a file is no YAML": {
		severity: "error", reason: "BuildFailed",
		message: "failed to decode Kubernetes YAML from /tmp/kustomization-2206837374/clusters/worker-1/resources/default/shop/a/5058f/web.yaml: MalformedYAMLError: yaml: line 2: found character that cannot start any token",
		outcome: agent.BuildFailed, files: []string{"/clusters/worker-1/resources/default/shop/a/5058f/web.yaml"},
	},
	"an object is in two files": {
		severity: "error", reason: "BuildFailed",
		message: "kustomize build failed: accumulating resources: accumulation err='merging resources from './default/shop/b/5058f/web.yaml': may not add resource with an already registered id: Deployment.v1.apps/web.shop': must build at directory: '/tmp/kustomization-1/worker-1/resources/default/shop/b/5058f/web.yaml': file is not directory",
		outcome: agent.BuildFailed, objects: []agent.Object{{Kind: "Deployment", Namespace: "shop", Name: "web"}}, files: []string{"default/shop/b/5058f/web.yaml"},
	},
	"an object without group and namespace is in two files": {
		severity: "error", reason: "BuildFailed",
		message: "kustomize build failed: accumulating resources: accumulation err='merging resources from './b.yaml': may not add resource with an already registered id: Namespace.v1.[noGrp]/shop.[noNs]': must build at directory: '/tmp/kustomization-1/worker-1/resources/b.yaml': file is not directory",
		outcome: agent.BuildFailed, objects: []agent.Object{{Kind: "Namespace", Name: "shop"}}, files: []string{"b.yaml"},
	},
	"a name with dots is in two files": {
		severity: "error", reason: "BuildFailed",
		message: "kustomize build failed: accumulating resources: accumulation err='merging resources from './b.yaml': may not add resource with an already registered id: CustomResourceDefinition.v1.apiextensions.k8s.io/beats.beat.k8s.elastic.co.[noNs]': must build at directory: '/tmp/kustomization-1/worker-1/resources/b.yaml': file is not directory",
		outcome: agent.BuildFailed, objects: []agent.Object{{Kind: "CustomResourceDefinition", Name: "beats.beat.k8s.elastic.co"}}, files: []string{"b.yaml"},
	},
	"an object is in a file and a directory with a kustomization": {
		severity: "error", reason: "BuildFailed",
		message: "kustomize build failed: accumulating resources: accumulation err='accumulating resources from './sub': '/tmp/kustomization-1/worker-1/resources/sub' must resolve to a file': recursed merging from path '/tmp/kustomization-1/worker-1/resources/sub': may not add resource with an already registered id: ConfigMap.v1.[noGrp]/a.n",
		outcome: agent.BuildFailed, objects: []agent.Object{{Kind: "ConfigMap", Namespace: "n", Name: "a"}}, files: []string{"sub"},
	},
	"a file below a directory with a kustomization": {
		severity: "error", reason: "BuildFailed",
		message: "kustomize build failed: accumulating resources: accumulation err='accumulating resources from './sub': '/tmp/kustomization-1/worker-1/resources/sub' must resolve to a file': recursed accumulation of path '/tmp/kustomization-1/worker-1/resources/sub': accumulating resources: accumulating resources from 'deep/b.yaml': MalformedYAMLError: yaml: mapping values are not allowed in this context in File: deep/b.yaml",
		outcome: agent.BuildFailed, files: []string{"sub/deep/b.yaml"},
	},
	"an object has no kind": {
		severity: "error", reason: "BuildFailed",
		message: "kustomize build failed: accumulating resources: accumulation err='accumulating resources from './x/b.yaml': missing kind in object {{v1 } {{x } map[] map[]}}': must build at directory: '/tmp/kustomization-1/worker-1/resources/x/b.yaml': file is not directory",
		outcome: agent.BuildFailed, files: []string{"x/b.yaml"},
	},
	"a file name leads out of the root": {
		severity: "error", reason: "BuildFailed",
		message: "kustomize build failed: accumulating resources: accumulating resources from '../b.yaml': MalformedYAMLError: yaml: line 1",
		outcome: agent.BuildFailed,
	},
	"a file name quotes another message": {
		severity: "error", reason: "BuildFailed",
		message: "kustomize build failed: accumulating resources: accumulation err='merging resources from './a/: may not add resource with an already registered id: Deployment.v1.apps/victim.shop': may not add resource with an already registered id: ConfigMap.v1.[noGrp]/a.n': must build at directory",
		outcome: agent.BuildFailed, files: []string{"a/: may not add resource with an already registered id: Deployment.v1.apps/victim.shop"},
	},
	"an object is invalid": {
		severity: "error", reason: "ReconciliationFailed",
		message: "Deployment/shop/web dry-run failed (Invalid): Deployment.apps \"web\" is invalid: spec.template.spec.containers[0].imagePullPolicy: Unsupported value: \"IfNotPresnt\": supported values: \"Always\", \"IfNotPresent\", \"Never\"\n",
		outcome: agent.ApplyFailed, objects: []agent.Object{{Kind: "Deployment", Namespace: "shop", Name: "web"}},
	},
	"an object is refused after others were applied": {
		severity: "error", reason: "ReconciliationFailed",
		message: "Shop/shop/a dry-run failed: no matches for kind \"Shop\" in version \"example.com/v1\"\nNamespace/shop created\nCustomResourceDefinition/beats.beat.k8s.elastic.co created\n",
		outcome: agent.ApplyFailed, objects: []agent.Object{{Kind: "Shop", Namespace: "shop", Name: "a"}},
	},
	"an immutable field changes": {
		severity: "error", reason: "ReconciliationFailed",
		message: "Secret/shop/token dry-run failed (Invalid): Secret \"token\" is invalid: data: Forbidden: field is immutable when `immutable` is set\n",
		outcome: agent.ApplyFailed, objects: []agent.Object{{Kind: "Secret", Namespace: "shop", Name: "token"}},
	},
	"a namespace is missing": {
		severity: "error", reason: "ReconciliationFailed", message: "ConfigMap/shop/settings not found: namespaces \"shop\" not found\n",
		outcome: agent.ApplyFailed, objects: []agent.Object{{Kind: "ConfigMap", Namespace: "shop", Name: "settings"}},
	},
	"an object has no namespace": {
		severity: "error", reason: "ReconciliationFailed", message: "ConfigMap/settings namespace not specified: the server could not find the requested resource\n",
		outcome: agent.ApplyFailed, objects: []agent.Object{{Kind: "ConfigMap", Name: "settings"}},
	},
	"an apply is refused": {
		severity: "error", reason: "ReconciliationFailed", message: "Service/shop/web apply failed: admission webhook \"deny.example.com\" denied the request: no\n",
		outcome: agent.ApplyFailed, objects: []agent.Object{{Kind: "Service", Namespace: "shop", Name: "web"}},
	},
	"a Secret is encrypted": {
		severity: "error", reason: "ReconciliationFailed", message: "Secret/shop/token is SOPS encrypted, configuring decryption is required for this secret to be reconciled",
		outcome: agent.ApplyFailed, objects: []agent.Object{{Kind: "Secret", Namespace: "shop", Name: "token"}},
	},
	"a name with a slash looks like another object": {
		severity: "error", reason: "ReconciliationFailed", message: "ConfigMap/shop/victim dry-run failed: invalid resource name \"shop/victim\": [may not contain '/']\n",
		outcome: agent.ApplyFailed,
	},
	"a webhook quotes another object": {
		severity: "error", reason: "ReconciliationFailed", message: "Service/shop/web dry-run failed (Forbidden): denied: Deployment/other/victim dry-run failed\nDeployment/other/victim apply failed: no",
		outcome: agent.ApplyFailed, objects: []agent.Object{{Kind: "Service", Namespace: "shop", Name: "web"}},
	},
	"the API server does not answer": {
		severity: "error", reason: "ReconciliationFailed", message: "failed to build kube client: the server is currently unable to handle the request",
		outcome: agent.ApplyFailed,
	},
	"objects are not healthy in time": {
		severity: "error", reason: "HealthCheckFailed",
		message: "health check failed after 30.001s: timeout waiting for: [Deployment/shop/web status: 'InProgress', Beat/shop/b status: 'Unknown': client rate limiter Wait returned an error: context deadline exceeded, Namespace/old status: 'Terminating']",
		outcome: agent.HealthFailed, objects: []agent.Object{{Kind: "Beat", Namespace: "shop", Name: "b"}, {Kind: "Deployment", Namespace: "shop", Name: "web"}, {Kind: "Namespace", Name: "old"}},
	},
	"an object is stalled": {
		severity: "error", reason: "HealthCheckFailed",
		message: "health check failed after 103.4ms: failed early due to stalled resources: [Job/shop/migrate status: 'Failed']",
		outcome: agent.HealthFailed, objects: []agent.Object{{Kind: "Job", Namespace: "shop", Name: "migrate"}},
	},
	"a status cannot be read": {
		severity: "error", reason: "HealthCheckFailed",
		message: "health check failed after 30s: timeout waiting for: [can't determine status for Beat/shop/b, Deployment/shop/web status: 'InProgress']",
		outcome: agent.HealthFailed, objects: []agent.Object{{Kind: "Beat", Namespace: "shop", Name: "b"}, {Kind: "Deployment", Namespace: "shop", Name: "web"}},
	},
	"objects cannot be deleted": {
		severity: "error", reason: "PruneFailed",
		message: "delete failed, errors: Service/shop/web delete failed: admission webhook \"deny.example.com\" denied the request: no;ConfigMap/shop/x query failed: the server has asked for the client to provide credentials;",
		outcome: agent.PruneFailed, objects: []agent.Object{{Kind: "ConfigMap", Namespace: "shop", Name: "x"}, {Kind: "Service", Namespace: "shop", Name: "web"}},
	},
}

func TestFluxMessages(t *testing.T) {
	for name, test := range fluxMessages {
		t.Run(name, func(t *testing.T) {
			event, err := agent.ParseFlux(fluxBody(t, test.severity, test.reason, test.message, metadata()))
			if err != nil {
				t.Fatal(err)
			}
			want := agent.Event{
				Destination: "worker-1", Root: "resources", Revision: "0123456789012345678901234567890123456789", Outcome: test.outcome,
				Objects: test.objects, Files: test.files, Message: strings.TrimSpace(test.message), Time: time.Date(2026, 11, 30, 5, 0, 0, 0, time.UTC),
			}
			if !reflect.DeepEqual(event, want) {
				t.Errorf("got  %+v\nwant %+v", event, want)
			}
		})
	}
}

func TestFluxMetadata(t *testing.T) {
	const finished = "Reconciliation finished in 1s, next run in 10m0s"
	with := func(changes map[string]string) map[string]string {
		all := metadata()
		for key, value := range changes {
			if all[key] = value; value == "" {
				delete(all, key)
			}
		}
		return all
	}
	for name, test := range map[string]struct {
		metadata map[string]string
		want     agent.Event
		failed   string
	}{
		"as delivered":            {metadata: metadata(), want: agent.Event{Root: "resources", Revision: "0123456789012345678901234567890123456789", Outcome: agent.Healthy}},
		"health is not checked":   {metadata: with(map[string]string{"health": ""}), want: agent.Event{Root: "resources", Revision: "0123456789012345678901234567890123456789", Outcome: agent.Applied}},
		"one root":                {metadata: with(map[string]string{"root": ""}), want: agent.Event{Revision: "0123456789012345678901234567890123456789", Outcome: agent.Healthy}},
		"keys with the prefix":    {metadata: with(map[string]string{"revision": "", "kustomize.toolkit.fluxcd.io/revision": "main@sha1:abc"}), want: agent.Event{Root: "resources", Revision: "abc", Outcome: agent.Healthy}},
		"a bucket":                {metadata: with(map[string]string{"revision": "sha256:77af"}), want: agent.Event{Root: "resources", Revision: "sha256:77af", Outcome: agent.Healthy}},
		"a branch with an @":      {metadata: with(map[string]string{"revision": "a@b/c@sha1:abc"}), want: agent.Event{Root: "resources", Revision: "abc", Outcome: agent.Healthy}},
		"a commit without branch": {metadata: with(map[string]string{"revision": "sha1:abc"}), want: agent.Event{Root: "resources", Revision: "abc", Outcome: agent.Healthy}},
		"a git with SHA-256":      {metadata: with(map[string]string{"revision": "main@sha256:abc"}), want: agent.Event{Root: "resources", Revision: "abc", Outcome: agent.Healthy}},
		"an impossible revision":  {metadata: with(map[string]string{"revision": "main@sha1:a b"}), want: agent.Event{Root: "resources", Outcome: agent.Healthy}},
		"no destination":          {metadata: with(map[string]string{"destination": ""}), failed: "not an event: it names no destination: add it to the Alert's spec.eventMetadata"},
		"an odd destination":      {metadata: with(map[string]string{"destination": "a/b"}), failed: "not an event: its destination cannot be the name of a Destination: see the Alert's spec.eventMetadata"},
		"an odd root":             {metadata: with(map[string]string{"root": "../x"}), failed: "not an event: its root is neither dependencies nor resources nor empty: see the Alert's spec.eventMetadata"},
	} {
		t.Run(name, func(t *testing.T) {
			event, err := agent.ParseFlux(fluxBody(t, "info", "ReconciliationSucceeded", finished, test.metadata))
			if failed := message(err); failed != test.failed {
				t.Fatalf("got error %q, want %q", failed, test.failed)
			}
			if err != nil {
				return
			}
			test.want.Destination, test.want.Message, test.want.Time = "worker-1", finished, event.Time
			if !reflect.DeepEqual(event, test.want) {
				t.Errorf("got  %+v\nwant %+v", event, test.want)
			}
		})
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestFluxEventOfAnotherKindSaysNothing(t *testing.T) {
	event, err := agent.ParseFlux([]byte(`{"involvedObject":{"kind":"GitRepository","name":"worker-1"},"severity":"error","timestamp":"2026-11-30T05:00:00Z","message":"failed to checkout","reason":"GitOperationFailed","metadata":{"destination":"worker-1"}}`))
	if err != nil || event.Outcome != agent.None || event.Destination != "worker-1" {
		t.Errorf("got %+v, %v", event, err)
	}
}

func TestEventsAreBounded(t *testing.T) {
	var list strings.Builder
	for i := range 40 {
		list.WriteString(strings.Repeat("x", i) + "y, ")
	}
	text := "health check failed after 1s: timeout waiting for: [" + strings.ReplaceAll(list.String(), ", ", " status: 'InProgress', Deployment/shop/a")
	text = strings.Replace(text, "[", "[Deployment/shop/a", 1) + strings.Repeat("\xff\x00é", 3000)
	event, err := agent.ParseFlux(fluxBody(t, "error", "HealthCheckFailed", text, metadata()))
	if err != nil {
		t.Fatal(err)
	}
	if len(event.Objects) != agent.MaxObjects {
		t.Errorf("got %d objects: %v", len(event.Objects), event.Objects)
	}
	if len(event.Message) > agent.MaxMessage || len(event.Message) < agent.MaxMessage-8 || !strings.HasSuffix(event.Message, "…") {
		t.Errorf("got %d bytes: %q", len(event.Message), event.Message[len(event.Message)-20:])
	}
	checkEvent(t, event)
}

func TestOrderOfUnhealthyObjectsDoesNotCount(t *testing.T) {
	// Flux lists the objects in random order.
	var state agent.State
	for i, list := range []string{"A/n/a status: 'InProgress', B/n/b status: 'Failed'", "B/n/b status: 'Failed', A/n/a status: 'InProgress'"} {
		event, err := agent.ParseFlux(fluxBody(t, "error", "HealthCheckFailed", "health check failed after 1s: timeout waiting for: ["+list+"]", metadata()))
		if err != nil {
			t.Fatal(err)
		}
		var changed bool
		if state, changed = state.With(event); changed != (i == 0) {
			t.Errorf("event %d: changed is %t", i, changed)
		}
	}
}
