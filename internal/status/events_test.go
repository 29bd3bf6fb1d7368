package status

import (
	"slices"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

func TestAdditionalPlacementIsReportedOnce(t *testing.T) {
	s := newFixture(t)
	s.settle()
	more := func() {
		s.placed(report.Unchanged)
		for _, name := range []string{"worker-2", "worker-3"} {
			second := s.said.Placements[0]
			second.State, second.Destination = report.Placed, name
			second.Object = testkit.Placement(s.now.Works[0], name)
			s.said.Placements = append(s.said.Placements, second)
		}
	}
	more()
	if _, events := s.plan(); !slices.Equal(events, []string{"Normal WorkplacementReconciled: it has a WorkPlacement more, on worker-2, worker-3"}) {
		t.Errorf("events %q", events)
	}
	more()
	if _, events := s.plan(); len(events) > 0 {
		t.Errorf("and again %q", events)
	}
}

func TestDeletedWorkReportsWhyItStays(t *testing.T) {
	s := newFixture(t)
	s.settle()
	s.now.Works[0].Finalizers, s.now.Works[0].DeletionTimestamp = []string{kratix.WorkFinalizer}, &noon
	s.placed(report.Failed)
	s.said.Stores = nil
	s.said.Findings = []finding.Finding{{Rule: finding.StoreFailed(), Place: finding.Place{Object: "GitStateStore default"}, Message: "no route"}}
	events := s.expect("patch status "+placementSteps, "patch status Work default/a", "patch status Destination worker-1", "patch status GitStateStore default")
	if len(events) < 2 || events[1] != "Warning FailedDelete: its files cannot be removed: on worker-1: no route" {
		t.Errorf("events %q", events)
	}
	s.condition(s.now.Works[0].Status.Conditions, "Ready", "False FailedDelete")
}

func TestDestinationThatStaysReadySendsNoEvent(t *testing.T) {
	s := newFixture(t)
	s.settle()
	s.now.Destinations[0].Spec.InitWorkloads.Enabled = new(bool)
	if events := s.expect("patch status Destination worker-1"); len(events) > 0 {
		t.Errorf("events %q", events)
	}
}

func TestChangesAtTheEndOfAConflictAreReported(t *testing.T) {
	const over = "Normal NoConflict: nothing of it is held back any more"
	for name, test := range map[string]struct {
		then func(*fixture)
		want []string
	}{
		"all is well": {func(s *fixture) { s.placed(report.Placed) }, []string{over, over}},
		"it is misplaced": {func(s *fixture) { s.placed(report.Placed).Misplaced = true }, []string{
			over, "Warning DestinationSelectorMismatch: because", over, "Warning DestinationSelectorMismatch: the default group on worker-1: because",
		}},
		"it has no Destination": {func(s *fixture) {
			p := s.placed(report.Unplaced)
			p.Object, p.Destination = nil, ""
			s.now.WorkPlacements = nil
			s.said.Findings = []finding.Finding{about(finding.NoDestination(), "Work default/a")}
		}, []string{over, "Normal NoMatchingDestination: the default group: because"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			s.settle()
			s.placed(report.HeldBack).Written = true
			s.said.Findings = []finding.Finding{about(finding.DuplicateObject(), "Work default/a")}
			s.plan()
			test.then(s)
			_, events := s.plan()
			if !slices.Equal(events, test.want) {
				t.Errorf("events %q, want %q", events, test.want)
			}
		})
	}
}
