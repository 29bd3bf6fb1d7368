package reconcile

import (
	"slices"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

func (w *testEnv) stored() string {
	var all strings.Builder
	for _, path := range w.paths() {
		if !strings.HasPrefix(path, "worker-1/.kratix/") {
			all.WriteString(w.content(path) + "\n---\n")
		}
	}
	return all.String()
}

func (w *testEnv) count(name string) int {
	return strings.Count(w.stored(), "  name: "+name+"\n")
}

func TestSharingInEachMode(t *testing.T) {
	for _, mode := range []string{kratix.NestedByMetadata, kratix.AggregatedYAML, kratix.None} {
		t.Run(mode, func(t *testing.T) {
			w := inMode(t, mode)
			w.policy.OnConflict = dedupe.Share
			w.policy.Allow = AllowAll()
			w.putFiles("a", map[string]string{"a.yaml": testkit.ConfigMaps("common", "a")})
			w.putFiles("b", map[string]string{"b.yaml": testkit.ConfigMaps("b", "common")})
			w.expect(w.round(), map[string]report.State{"a": report.Placed, "b": report.Placed})
			w.expectShared(1, "common", "a", "b")
			if again := w.round(); again.Changes() {
				t.Errorf("a second round changes %+v", again.Stores)
			}
			w.remove("a")
			w.round()
			w.expectShared(1, "common", "b")
			w.remove("b")
			w.round()
			if got := w.paths(); len(got) > 0 {
				t.Errorf("left over: %v", got)
			}
		})
	}
}

func (w *testEnv) expectShared(times int, names ...string) {
	w.t.Helper()
	w.buildAll(0)
	for _, name := range names {
		if got := w.count(name); got != times {
			w.t.Errorf("%s is there %d times, want %d:\n%s", name, got, times, w.stored())
		}
	}
}

func TestItemsOfListsAreShared(t *testing.T) {
	list := func(names ...string) string {
		text := "apiVersion: v1\nkind: List\nitems:\n"
		for _, name := range names {
			text += "# about " + name + "\n- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: " + name + "\n"
		}
		return text
	}
	w := newEnv(t)
	w.policy.OnConflict = dedupe.Share
	w.putFiles("a", map[string]string{"maps.yaml": list("common", "a")})
	w.putFiles("b", map[string]string{"maps.yaml": list("b", "common", "c")})
	w.expect(w.round(), map[string]report.State{"a": report.Placed, "b": report.Placed})
	w.buildAll(0)
	if got := w.content(bFile); got != list("b", "c") {
		t.Errorf("b's file is %q", got)
	}
	w.remove("a")
	w.round()
	if got := w.content(bFile); got != list("b", "common", "c") {
		t.Errorf("when a has gone b's file is %q", got)
	}
}

func TestItemThatCannotBeCutOutIsReported(t *testing.T) {
	w := newEnv(t)
	w.policy.OnConflict = dedupe.Share
	w.put("a", "x")
	w.putFiles("b", map[string]string{"maps.yaml": `{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "y"}}]}`})
	result := w.round()
	w.expect(result, map[string]report.State{"a": report.Placed, "b": report.HeldBack}, "KS001")
	if got := result.Findings[0].Message; !strings.Contains(got, "item of a list") {
		t.Errorf("it says %q", got)
	}
}

func TestLeavingShareForQuarantineLosesNothing(t *testing.T) {
	w := newEnv(t)
	w.policy.OnConflict = dedupe.Share
	w.put("a", "common", "a")
	w.put("b", "b", "common")
	w.round()
	w.policy.OnConflict = dedupe.Quarantine
	result := w.round()
	w.expectShared(1, "common", "a", "b")
	w.expect(result, map[string]report.State{"a": report.Placed, "b": report.HeldBack}, "KS001")
	if got := w.content(aRecord); strings.Contains(got, "owners") {
		t.Errorf("a's record still says that it shares: %s", got)
	}
	if again := w.round(); again.Changes() {
		t.Errorf("a second round changes %+v", again.Stores)
	}
	w.remove("a")
	w.round()
	w.expectShared(1, "common", "b")
	if got := w.content(bFile); got != testkit.ConfigMaps("b", "common") {
		t.Errorf("when a has gone b has %q", got)
	}
}

func TestIgnoredFilesAreNotChecked(t *testing.T) {
	w := newEnv(t)
	w.write(map[string]string{
		"worker-1/resources/values.yaml":  "no: object\n",
		"worker-1/resources/by-hand.yaml": testkit.ConfigMaps("x"),
	})
	w.put("a", "x")
	w.expect(w.round(), map[string]report.State{"a": report.HeldBack}, "KS001", "KS002")
	w.write(map[string]string{".sourceignore": "/worker-1/resources/*.yaml\n"})
	w.expect(w.round(), map[string]report.State{"a": report.Placed})
	w.write(map[string]string{".sourceignore": "# nothing any more\n"})
	if got := rules(w.round()); !slices.Equal(got, []string{"KS001", "KS002"}) {
		t.Errorf("found %v", got)
	}
	// An ignore file inside the root counts as well.
	w.write(map[string]string{"worker-1/resources/.sourceignore": "*.yaml\n!maps.yaml\n"})
	w.expect(w.round(), map[string]report.State{"a": report.Unchanged})
}
