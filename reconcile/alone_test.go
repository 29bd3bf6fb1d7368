package reconcile

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/applycheck"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

func database(name, spec string) string {
	return "apiVersion: example.com/v1\nkind: Database\nmetadata: {name: " + name + ", namespace: shop}\nspec: " + spec + "\n"
}

const databaseDefinition = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: databases.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Database, plural: databases}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {size: {type: integer}}}
`

func newEnvWithTenRequests(t *testing.T, hasVersion bool, files map[string]string) *testEnv {
	w := newApplying(t, applycheck.Quarantine)
	if !hasVersion {
		w.snapshot.Destinations[0].Annotations = nil
	}
	w.putFiles("a", files)
	for i := range 9 {
		name := fmt.Sprint("other", i)
		w.putFiles(name, map[string]string{"maps.yaml": configMap(name, "data: {}")})
	}
	w.round()
	w.round()
	return w
}

func TestNewRequestWithWarningsIsCheckedAlone(t *testing.T) {
	w := newEnvWithTenRequests(t, true, map[string]string{"maps.yaml": database("a", "{}")})
	w.putFiles("b", map[string]string{"maps.yaml": database("b", "{}")})
	if r := w.round(); states(r)["b"] != report.Placed || !slices.Equal(rules(r), []string{"KS100", "KS100"}) {
		t.Errorf("b is %s; findings %v", states(r)["b"], r.Findings)
	}
	if n := w.reconciler.cache.outcomes.updated; n != 1 {
		t.Errorf("%d outcomes were derived from the last ones, want 1", n)
	}
	if doubtful := w.cached("worker-1").doubtful; len(doubtful) != 1 || doubtful[0].work.Name != "b" {
		t.Errorf("doubtful are %v", doubtful)
	}
	if cached, fresh := w.round(), w.roundWithoutCache(); !reflect.DeepEqual(cached.Findings, fresh.Findings) || !maps.Equal(states(cached), states(fresh)) {
		t.Errorf("the cache makes a difference: %v, %v", cached, fresh)
	}
}

func TestChangedRequestWithWarningsIsCheckedAlone(t *testing.T) {
	w := newEnvWithTenRequests(t, true, map[string]string{"maps.yaml": database("a", "{}")})
	w.putFiles("a", map[string]string{"maps.yaml": database("a2", "{}")})
	r := w.round()
	if states(r)["a"] != report.Placed || len(r.Findings) != 1 || !strings.Contains(r.Findings[0].Message, "a2") {
		t.Errorf("a is %s; findings %v", states(r)["a"], r.Findings)
	}
	if n := w.reconciler.cache.outcomes.updated; n != 1 {
		t.Errorf("%d outcomes were derived from the last ones, want 1", n)
	}
	if cached, fresh := w.round(), w.roundWithoutCache(); !reflect.DeepEqual(cached.Findings, fresh.Findings) || !maps.Equal(states(cached), states(fresh)) {
		t.Errorf("the cache makes a difference: %v, %v", cached, fresh)
	}
}

func TestChangeOfAPendingRequestBringsBackWarningsAboutOthers(t *testing.T) {
	for name, others := range map[string]map[string]string{
		"without warnings": {},
		"with a warning":   {"cache.yaml": "apiVersion: example.com/v1\nkind: Cache\nmetadata: {name: n}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newEnvWithTenRequests(t, true, map[string]string{"maps.yaml": database("a", "{}")})
			w.finish = Preview
			files := maps.Clone(others)
			files["crd.yaml"] = databaseDefinition
			w.putFiles("n", files)
			w.round()
			w.round()
			w.putFiles("n", map[string]string{"maps.yaml": configMap("n", "data: {}")})
			if after, fresh := w.round(), w.roundWithoutCache(); !reflect.DeepEqual(after.Findings, fresh.Findings) {
				t.Errorf("the cache makes a difference: %v, %v", after.Findings, fresh.Findings)
			}
		})
	}
}

func TestNewRequestIsCheckedWithDefinitionsOfOthers(t *testing.T) {
	for name, hasVersion := range map[string]bool{"known version": true, "unknown version": false} {
		t.Run(name, func(t *testing.T) {
			w := newEnvWithTenRequests(t, hasVersion, map[string]string{"crd.yaml": databaseDefinition, "shop.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"})
			w.putFiles("b", map[string]string{"maps.yaml": database("b", "{size: large}")})
			if r := w.round(); states(r)["b"] != report.HeldBack || !slices.Equal(rules(r), []string{"KS104"}) {
				t.Errorf("b is %s; findings %v", states(r)["b"], r.Findings)
			}
		})
	}
}
