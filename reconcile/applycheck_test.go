package reconcile

import (
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/applycheck"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

func configMap(name, line string) string {
	return testkit.ConfigMaps(name) + "  namespace: default\n" + line + "\n"
}

func newApplying(t *testing.T, policy applycheck.Policy) *testEnv {
	w := newEnv(t)
	w.policy.CheckApply = policy
	w.snapshot.Destinations[0].Annotations = map[string]string{scheduler.KubernetesVersionAnnotation: "1.36"}
	return w
}

func TestRequestThatTheAPIServerRefusesIsHeldBackAlone(t *testing.T) {
	w := newApplying(t, applycheck.Quarantine)
	w.putFiles("a", map[string]string{"maps.yaml": configMap("one", "data: {a: one}")})
	w.putFiles("b", map[string]string{"maps.yaml": configMap("two", "data: {a: 1}")})
	r := w.round()
	w.expect(r, map[string]report.State{"a": report.Placed, "b": report.HeldBack}, "KS104")
	if f := r.Findings[0]; !strings.Contains(f.Message, ".data.a") || f.Place.File != "maps.yaml" {
		t.Errorf("the finding is %+v", f)
	}
	w.expect(w.round(), map[string]report.State{"a": report.Unchanged, "b": report.HeldBack}, "KS104")

	w.putFiles("b", map[string]string{"maps.yaml": configMap("two", "data: {a: '1'}")})
	w.expect(w.round(), map[string]report.State{"a": report.Unchanged, "b": report.Placed})
	w.putFiles("b", map[string]string{"maps.yaml": configMap("two", "data: {a: 2}")})
	w.expect(w.round(), map[string]report.State{"a": report.Unchanged, "b": report.HeldBack}, "KS104")
	if stored := w.content(bFile); !strings.Contains(stored, "'1'") {
		t.Errorf("the store has %s", stored)
	}
}

func TestRefusedRequestTakesNoObjectFromAnother(t *testing.T) {
	w := newApplying(t, applycheck.Quarantine)
	w.putFiles("a", map[string]string{"maps.yaml": configMap("one", "data: {a: 1}")})
	w.putFiles("b", map[string]string{"maps.yaml": configMap("one", "data: {a: one}")})
	w.expect(w.round(), map[string]report.State{"a": report.HeldBack, "b": report.Placed}, "KS104")
}

func TestNamespaceOfARefusedRequestDoesNotCount(t *testing.T) {
	w := newApplying(t, applycheck.Quarantine)
	namespace := "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n"
	w.putFiles("a", map[string]string{"maps.yaml": namespace + "  labels: {a: 1}\n"})
	w.putFiles("b", map[string]string{"maps.yaml": testkit.ConfigMaps("one") + "  namespace: shop\n"})
	w.expect(w.round(), map[string]report.State{"a": report.HeldBack, "b": report.Placed}, "KS104", "KS103")
	w.putFiles("a", map[string]string{"maps.yaml": namespace})
	w.expect(w.round(), map[string]report.State{"a": report.Placed, "b": report.Unchanged})
	w.putFiles("a", map[string]string{"maps.yaml": configMap("two", "data: {}")})
	w.expect(w.round(), map[string]report.State{"a": report.Placed, "b": report.Unchanged}) // the namespace is in the store until this round ends
	w.expect(w.round(), map[string]report.State{"a": report.Unchanged, "b": report.Unchanged}, "KS103")
}

func TestWarnWritesWhatTheAPIServerRefuses(t *testing.T) {
	for policy, found := range map[applycheck.Policy][]string{applycheck.Warn: {"KS104"}, applycheck.Off: nil} {
		w := newApplying(t, policy)
		w.putFiles("a", map[string]string{"maps.yaml": configMap("one", "data: {a: 1}")})
		w.expect(w.round(), map[string]report.State{"a": report.Placed}, found...)
	}
}
