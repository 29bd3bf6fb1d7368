package apply

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/pkg/ssa"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/test/apiserver"
)

func reported(t *testing.T, severity, reason, message string) agent.Event {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"involvedObject": map[string]string{"kind": "Kustomization"}, "severity": severity, "timestamp": time.Now(), "reason": reason, "message": message,
		"metadata": map[string]string{"destination": "worker-1", "root": "resources", "health": "checked", "revision": "main@sha1:abc"},
	})
	must(t, err)
	event, err := agent.ParseFlux(body)
	must(t, err)
	return event
}

func TestAgentMessages(t *testing.T) {
	if _, err := os.Stat(filepath.Join(bin, "kube-apiserver")); err != nil {
		t.Fatal("bin/kube/kube-apiserver is missing: run make kube-servers")
	}
	judge, err := NewJudge(apiserver.Start(t, bin).Admin)
	must(t, err)
	const valid = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: fine, namespace: default}\n---\n"
	deployment := func(name, more string) string {
		return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + name + ", namespace: default}\nspec:\n  selector: {matchLabels: {app: a}}\n" + more +
			"  template:\n    metadata: {labels: {app: a}}\n    spec: {containers: [{name: a, image: a}]}\n---\n"
	}
	for name, test := range map[string]struct {
		files string
		want  agent.Object
	}{
		"invalid":               {deployment("bad", "  replicas: -1\n"), agent.Object{Kind: "Deployment", Namespace: "default", Name: "bad"}},
		"an invalid name":       {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Bad_Name, namespace: default}\n", agent.Object{Kind: "ConfigMap", Namespace: "default", Name: "Bad_Name"}},
		"no such kind":          {"apiVersion: example.com/v1\nkind: Shop\nmetadata: {name: a, namespace: default}\n", agent.Object{Kind: "Shop", Namespace: "default", Name: "a"}},
		"no such namespace":     {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: missing}\n", agent.Object{Kind: "ConfigMap", Namespace: "missing", Name: "a"}},
		"no namespace":          {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", agent.Object{Kind: "ConfigMap", Name: "a"}},
		"a cluster-scoped kind": {"apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: 'system:a'}\nrules: [{verbs: []}]\n", agent.Object{Kind: "ClusterRole", Name: "system:a"}},
		"a slash in a name":     {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: default/fine}\n", agent.Object{}},
	} {
		t.Run(name, func(t *testing.T) {
			err := judge.ApplyAll(t.Context(), []byte(valid+test.files))
			if err == nil {
				t.Fatal("Flux applies it")
			}
			event := reported(t, "error", "ReconciliationFailed", fmt.Sprintf("%v\n%s", err, "Namespace/shop created\n"))
			want := []agent.Object{test.want}
			if test.want == (agent.Object{}) {
				want = nil
			}
			if event.Outcome != agent.ApplyFailed || !slices.Equal(event.Objects, want) {
				t.Errorf("got %s %v of %v", event.Outcome, event.Objects, err)
			}
		})
	}

	healthy := deployment("slow", "  replicas: 2\n") + valid
	objects, err := Decode([]byte(healthy))
	must(t, err)
	changes, err := judge.flux.ApplyAllStaged(t.Context(), objects, options())
	must(t, err)
	if event := reported(t, "info", "Progressing", changes.String()); event.Outcome != agent.Applied {
		t.Errorf("got %s of %q", event.Outcome, changes)
	}
	// No controller runs in the cluster, so no object becomes ready.
	err = judge.flux.Wait(objects, ssa.WaitOptions{Interval: 50 * time.Millisecond, Timeout: time.Second})
	if err == nil {
		t.Fatal("Flux does not wait")
	}
	event := reported(t, "error", "HealthCheckFailed", "health check failed after 1.000123s: "+err.Error())
	if want := []agent.Object{{Kind: "Deployment", Namespace: "default", Name: "slow"}}; event.Outcome != agent.HealthFailed || !slices.Equal(event.Objects, want) {
		t.Errorf("got %s %v of %v", event.Outcome, event.Objects, err)
	}

	// The API server does not serve the kind of this object.
	gone := &unstructured.Unstructured{}
	gone.SetAPIVersion("example.com/v1")
	gone.SetKind("Shop")
	gone.SetNamespace("default")
	gone.SetName("a")
	deleted, err := judge.flux.DeleteAll(t.Context(), append([]*unstructured.Unstructured{gone}, objects...), ssa.DefaultDeleteOptions())
	if err == nil || !strings.HasPrefix(err.Error(), "delete failed, errors: ") {
		t.Fatal(deleted, err)
	}
	event = reported(t, "error", "PruneFailed", err.Error())
	if want := []agent.Object{{Kind: "Shop", Namespace: "default", Name: "a"}}; event.Outcome != agent.PruneFailed || !slices.Equal(event.Objects, want) {
		t.Errorf("got %s %v of %v", event.Outcome, event.Objects, err)
	}
	pruned, err := judge.flux.DeleteAll(t.Context(), objects, ssa.DefaultDeleteOptions())
	if err := errors.Join(err); err != nil {
		t.Fatal(err)
	}
	if event := reported(t, "info", "Progressing", pruned.String()); event.Outcome != agent.Applied {
		t.Errorf("got %s of %q", event.Outcome, pruned)
	}
}
