package reconcile

import (
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

func (w *testEnv) addWorkPlacement(work *kratix.Work, destination string) *kratix.WorkPlacement {
	p := testkit.Placement(work, destination)
	p.Spec.Workloads = nil
	w.snapshot.Existing = append(w.snapshot.Existing, p)
	return p
}

func TestExistingPlacementsStay(t *testing.T) {
	for _, home := range []string{"worker-1", "worker-2"} {
		w := newEnv(t)
		w.addDestination("worker-2", "worker-2")
		w.addWorkPlacement(w.put("a", "one"), home)
		w.round()
		if got := w.countFiles(home); got == 0 {
			t.Errorf("it left %s: %v", home, w.paths())
		}
	}
}

func TestFilesOfAnotherWriterAreTakenOverByTheirWorkPlacement(t *testing.T) {
	w := newEnv(t)
	w.write(map[string]string{aFile: testkit.ConfigMaps("one")})
	w.addWorkPlacement(w.put("a", "one"), "worker-1")
	w.expect(w.round(), map[string]report.State{"a": report.Placed})
	if got := w.content(aFile); got != testkit.ConfigMaps("one") {
		t.Errorf("content %q", got)
	}

	w = newEnv(t)
	w.policy.Allow = AllowUpTo(1)
	w.write(map[string]string{aFile: testkit.ConfigMaps("one")})
	old := w.addWorkPlacement(testkit.Request("a", testkit.WithFile("maps.yaml", "")), "worker-1")
	r := w.round()
	w.expect(r, map[string]report.State{"a": report.Removed})
	if r.Placements[0].Object != old || len(w.paths()) > 0 {
		t.Errorf("%v stayed behind of %v", w.paths(), r.Placements)
	}
}

func TestWorkPlacementThatContradictsARecordIsReportedAndNotMoved(t *testing.T) {
	w := newEnv(t)
	w.addDestination("worker-2", "worker-2")
	work := w.put("a", "one")
	w.addWorkPlacement(work, "worker-1")
	w.round()
	before := w.dump()
	w.snapshot.Existing = nil
	w.addWorkPlacement(work, "worker-2")

	r := w.round()
	if !r.Has(finding.PlacementsDisagree()) {
		t.Errorf("not told of: %v", r.Findings)
	}
	if after := w.dump(); after != before {
		t.Errorf("something moved:\n%s\n%s", before, after)
	}
}

func TestRememberedPlacementOnAGoneDestinationIsMisplacedAndKept(t *testing.T) {
	w := newEnv(t)
	w.addWorkPlacement(w.put("a", "one"), "gone")
	r := w.round()
	if len(r.Placements) != 1 || !r.Placements[0].Misplaced || r.Placements[0].State != report.Kept || w.countFiles("worker-1") != 0 {
		t.Errorf("%+v", r.Placements)
	}
}

func TestUnreadableStoreHasNoKnownPlacements(t *testing.T) {
	broken := &statestore.Error{Op: "read", Store: "GitStateStore default", Err: statestore.ErrUnavailable}
	for name, test := range map[string]struct {
		store  flaky
		unread bool
	}{"one that cannot be read": {flaky{read: broken}, true}, "one that refuses a write": {flaky{apply: broken}, false}} {
		w := newEnv(t)
		test.store.Store = w.store
		w.store = &test.store
		w.addWorkPlacement(w.put("a", "one"), "worker-1")
		r := w.round()
		w.expect(r, map[string]report.State{"a": report.Failed}, "KS060")
		if r.Placements[0].Unread != test.unread {
			t.Errorf("%s: unread is %v", name, r.Placements[0].Unread)
		}
	}
}
