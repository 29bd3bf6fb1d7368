package reconcile

import (
	"slices"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

const between = "\n---\n"

func writtenByKratix(t *testing.T, parts ...string) *testEnv {
	w := inMode(t, kratix.AggregatedYAML)
	w.snapshot.FromAPI = true
	text := ""
	for i, part := range parts {
		if i > 0 {
			text += between
		}
		text += testkit.ConfigMaps(part)
	}
	w.write(map[string]string{aggregated: text})
	return w
}

func (w *testEnv) expectUnchanged(want map[string]report.State, found ...string) {
	w.t.Helper()
	before := w.content(aggregated)
	for range 3 {
		w.expect(w.round(), want, found...)
		if got := w.content(aggregated); got != before {
			w.t.Errorf("%q, was %q", got, before)
		}
	}
}

func TestAggregatedFileOfKratixStaysWhileAPartIsHeldBack(t *testing.T) {
	held := map[string]report.State{"a": report.HeldBack, "b": report.HeldBack}
	for name, isRemembered := range map[string]bool{"with WorkPlacements": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			w := writtenByKratix(t, "one", "two")
			a, b := w.put("a", "one"), w.put("b", "one") // b has changed and now conflicts with a
			if isRemembered {
				w.addWorkPlacement(a, "worker-1")
				w.addWorkPlacement(b, "worker-1")
			}
			w.expectUnchanged(held, "KS001", "KS063")
			for _, p := range w.round().Placements {
				if p.Written != isRemembered { // a wrong value would create or delete the WorkPlacement
					t.Errorf("%s is written: %v", p.Work, p.Written)
				}
			}
			w.put("b", "three")
			w.expect(w.round(), map[string]report.State{"a": report.Placed, "b": report.Placed})
			if got := w.content(aggregated); got != testkit.ConfigMaps("one")+between+testkit.ConfigMaps("three") {
				t.Errorf("%q", got)
			}
			w.put("b", "one") // the parts are now recorded
			w.put("a", "one", "four")
			w.expect(w.round(), map[string]report.State{"a": report.Placed, "b": report.HeldBack}, "KS001")
			if got := w.content(aggregated); got != testkit.ConfigMaps("one", "four")+between+testkit.ConfigMaps("three") {
				t.Errorf("%q", got)
			}
		})
	}
}

// The file has the content of a and b, so it cannot contain a part of c.
func TestAggregatedFileOfKratixIsAdoptedBesideNewPlacements(t *testing.T) {
	w := writtenByKratix(t, "one", "two")
	w.put("a", "one")
	w.put("b", "two")
	w.put("c", "one")
	w.expect(w.round(), map[string]report.State{"a": report.Placed, "b": report.Placed, "c": report.HeldBack}, "KS001")
	w.put("b", "three")
	w.expect(w.round(), map[string]report.State{"a": report.Unchanged, "b": report.Placed, "c": report.HeldBack}, "KS001")
	if got := w.content(aggregated); got != testkit.ConfigMaps("one")+between+testkit.ConfigMaps("three") {
		t.Errorf("%q", got)
	}
}

func TestAggregatedFileOfKratixStaysWhileAWorkCannotBeRead(t *testing.T) {
	for name, hide := range map[string]func(*testEnv){
		"rejected":   func(w *testEnv) { w.snapshot.Rejected = []kratix.Key{{Namespace: "default", Name: "b"}} },
		"incomplete": func(w *testEnv) { w.snapshot.Incomplete = true },
	} {
		t.Run(name, func(t *testing.T) {
			w := writtenByKratix(t, "one", "two")
			w.put("a", "one")
			hide(w)
			w.expectUnchanged(map[string]report.State{"a": report.HeldBack}, "KS063")
			w.snapshot.Rejected, w.snapshot.Incomplete = nil, false
			w.put("b", "two")
			w.expect(w.round(), map[string]report.State{"a": report.Placed, "b": report.Placed})
			w.remove("b")
			hide(w) // the part of b is recorded now, so it stays when a changes
			w.put("a", "three")
			w.round()
			if got := w.content(aggregated); got != testkit.ConfigMaps("three")+between+testkit.ConfigMaps("two") {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestUntouchedAggregatedFileKeepsRemovedParts(t *testing.T) {
	w := writtenByKratix(t, "one", "two", "three")
	a, b, c := w.put("a", "one"), w.put("b", "one"), w.put("c", "three")
	for _, work := range []*kratix.Work{a, b, c} {
		w.addWorkPlacement(work, "worker-1")
	}
	w.remove("c")
	w.snapshot.Deleted = []kratix.Key{{Namespace: "default", Name: "c"}}
	w.expectUnchanged(map[string]report.State{"a": report.HeldBack, "b": report.HeldBack, "c": report.Kept}, "KS001", "KS063")
	w.put("b", "four")
	w.expect(w.round(), map[string]report.State{"a": report.Placed, "b": report.Placed, "c": report.Removed})
	if got := w.content(aggregated); got != testkit.ConfigMaps("one")+between+testkit.ConfigMaps("four") {
		t.Errorf("%q", got)
	}
	if got := w.paths(); slices.ContainsFunc(got, func(path string) bool { return path == "c" }) || len(got) != 3 {
		t.Errorf("store has %v", got)
	}
}
