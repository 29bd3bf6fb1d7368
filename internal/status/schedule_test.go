package status

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

func kratixFixture(t *testing.T) *fixture {
	s := newFixture(t)
	s.mode = Schedule
	return s
}

func (s *fixture) workMessage(kind string) string {
	condition := meta.FindStatusCondition(s.now.Works[0].Status.Conditions, kind)
	if condition == nil {
		return "none"
	}
	return string(condition.Status) + " " + condition.Reason
}

func TestScheduleOnlyWritesWorkPlacements(t *testing.T) {
	s := kratixFixture(t)
	s.now.Works[0].Annotations = map[string]string{
		"example.com/trace": "1", "kubectl.kubernetes.io/last-applied-configuration": "{}", kratix.DecisionsAnnotation: "{}",
	}
	steps, _ := s.plan()
	if want := []string{"create WorkPlacement default/a.worker-1-5058f"}; !slices.Equal(steps, want) {
		t.Errorf("steps %q, want %q", steps, want)
	}
	made := s.now.WorkPlacements[0]
	if len(made.Status.Conditions) > 0 || made.OwnerReferences[0].BlockOwnerDeletion != nil || !slices.Equal(made.Finalizers, []string{kratix.PlacementFinalizer}) {
		t.Errorf("it is made with %v, %v, %v", made.Status, made.OwnerReferences, made.Finalizers)
	}
	if len(made.Annotations) != 1 || made.Annotations["example.com/trace"] != "1" {
		t.Errorf("annotations %v, want those of the Work that are not about the Work alone", made.Annotations)
	}
	s.placed(report.Unchanged)
	s.expect("patch status Work default/a") // the WorkPlacement was created
	if got := s.workMessage(kratix.ScheduledCondition); got != "True AllWorkplacementsScheduled" {
		t.Errorf("Scheduled is %s", got)
	}
	if got := s.workMessage(kratix.ReadyCondition); got != "none" {
		t.Errorf("Ready, which is Kratix's, is %s", got)
	}

	s.now.Works[0].Generation++
	s.placed(report.Placed)
	steps, _ = s.plan()
	if want := []string{"patch WorkPlacement default/a.worker-1-5058f"}; !slices.Equal(steps, want) {
		t.Errorf("steps %q, want %q", steps, want)
	}
	s.expect("patch status Work default/a") // the condition has the new generation
	if made := s.now.WorkPlacements[0]; made.Spec.Generation != 4 {
		t.Errorf("generation %d, want the Work's", made.Spec.Generation)
	}
}

func TestScheduleKeepsHeldWorkPlacements(t *testing.T) {
	for _, state := range []report.State{report.HeldBack, report.Failed, report.Pending, report.Kept, report.Unplaced} {
		s := kratixFixture(t)
		s.placed(state)
		if steps, _ := s.plan(); slices.ContainsFunc(steps, func(step string) bool { return strings.Contains(step, "WorkPlacement") }) {
			t.Errorf("%s: %q", state, steps)
		}
		s.placed(report.Placed)
		s.plan()
		s.now.Works[0].Generation++
		s.placed(state)
		if steps, _ := s.plan(); slices.ContainsFunc(steps, func(step string) bool { return strings.Contains(step, "WorkPlacement") }) {
			t.Errorf("%s after an update: %q", state, steps)
		}
	}
}

func TestScheduleReportsWhyAWorkIsHeldBack(t *testing.T) {
	s := kratixFixture(t)
	s.placed(report.HeldBack)
	s.said.Findings = []finding.Finding{{Rule: finding.DuplicateObject(), Place: finding.Place{Object: "Work default/a"}, Message: "ConfigMap x is there already"}}
	events := s.expect("patch status Work default/a", "patch status Destination worker-1")
	if s.workMessage(kratix.ScheduledCondition) != "False HeldBack" || s.workMessage(kratix.ConflictFreeCondition) != "False DuplicateResources" {
		t.Errorf("Scheduled is %s, ConflictFree %s", s.workMessage(kratix.ScheduledCondition), s.workMessage(kratix.ConflictFreeCondition))
	}
	if len(events) == 0 || !strings.Contains(events[0], "ConfigMap x is there already") {
		t.Errorf("events %q", events)
	}
}

func TestConflictIsNotOverWhileAStoreFails(t *testing.T) {
	conflict := []finding.Finding{{Rule: finding.DuplicateObject(), Place: finding.Place{Object: "Work default/a"}, Message: "ConfigMap x is there already"}}
	down := []finding.Finding{{Rule: finding.StoreFailed(), Place: finding.Place{Object: "GitStateStore default"}, Message: "no route to host"}}
	for _, mode := range []Mode{Schedule, Manage, Observe} {
		for _, state := range []report.State{report.Failed, report.Unplaced, report.Kept} {
			s := newFixture(t)
			s.mode = mode
			s.placed(report.HeldBack)
			s.said.Findings = conflict
			s.plan()
			says := func(want string) {
				t.Helper()
				if got := s.workMessage(kratix.ConflictFreeCondition); got != want {
					t.Errorf("mode %v, %s: ConflictFree is %s, want %s", mode, state, got, want)
				}
			}
			says("False DuplicateResources")
			s.placed(state)
			s.said.Findings = down
			_, events := s.plan()
			says("False DuplicateResources")
			for _, event := range events {
				if strings.Contains(event, "NoConflict") {
					t.Errorf("mode %v, %s: an event says %q", mode, state, event)
				}
			}
			s.placed(report.Unchanged)
			s.plan()
			s.plan() // the round after the WorkPlacement was created
			says("True NoConflict")
		}
	}
}

func TestLabelOfAMoveIsRemovedWhenItIsComplete(t *testing.T) {
	s := kratixFixture(t)
	s.plan()
	have := s.now.WorkPlacements[0]
	have.Labels[kratix.MovedFromLabel], have.Labels[kratix.MisplacedLabel] = "worker-2", "true"
	s.placed(report.Unchanged).Object.Labels[kratix.MovedFromLabel] = "worker-2"
	if steps, _ := s.plan(); slices.Contains(steps, "patch WorkPlacement default/a.worker-1-5058f") {
		t.Errorf("steps %q while it moves", steps)
	}
	s.placed(report.Unchanged)
	want := map[string]any{"metadata": map[string]any{"labels": map[string]any{kratix.MovedFromLabel: nil}}}
	for _, change := range slices.Concat(Plan(s.said, s.now, s.mode, nil, noon)...) {
		if change.Object == kratix.Object(have) {
			if len(change.Steps) != 1 || change.Steps[0].Verb != Patch || !cmp.Equal(change.Steps[0].Patch, want) {
				t.Errorf("steps %+v, want %v", change.Steps, want)
			}
			return
		}
	}
	t.Error("the mark stays")
}

func TestScheduleDeletesUnplannedWorkPlacements(t *testing.T) {
	placed := func(t *testing.T) (*fixture, *report.Placement) {
		s := kratixFixture(t)
		s.plan()
		return s, s.placed(report.Removed)
	}
	t.Run("a lost group", func(t *testing.T) {
		s, _ := placed(t)
		s.now.Works[0].Spec.WorkloadGroups[0].ID = "another"
		if steps, _ := s.plan(); !slices.Contains(steps, "delete WorkPlacement default/a.worker-1-5058f") {
			t.Errorf("steps %q", steps)
		}
	})
	t.Run("a Work that is gone", func(t *testing.T) {
		s, _ := placed(t)
		s.now.Works = nil
		s.expect()
	})
	t.Run("moved", func(t *testing.T) {
		s, old := placed(t)
		second := s.now.Destinations[0].DeepCopy()
		second.Name = "worker-2"
		s.now.Destinations = append(s.now.Destinations, second)
		heir := *old
		heir.State, heir.Destination = report.Placed, "worker-2"
		heir.Object = testkit.Placement(s.now.Works[0], "worker-2")
		s.said.Placements = append(s.said.Placements, heir)
		steps, _ := s.plan()
		if want := []string{"create WorkPlacement default/a.worker-2-5058f"}; !slices.Equal(steps, want) {
			t.Errorf("steps %q, want %q", steps, want)
		}
		if steps, _ := s.plan(); slices.Contains(steps, "delete WorkPlacement default/a.worker-1-5058f") {
			t.Error("the old one goes before the new one is written")
		}
		s.now.WorkPlacements[1].Status.Conditions = []metav1.Condition{{Type: kratix.WriteSucceededCondition, Status: metav1.ConditionTrue}}
		if steps, _ := s.plan(); !slices.Contains(steps, "delete WorkPlacement default/a.worker-1-5058f") {
			t.Errorf("steps %q", steps)
		}
	})
}

func TestAnotherSchedulerIsReportedOnDestinations(t *testing.T) {
	for mode, rule := range map[Mode]finding.Rule{Manage: finding.OtherScheduler(), Schedule: finding.PolicyNotInForce()} {
		s := newFixture(t)
		s.mode = mode
		s.said.Findings = []finding.Finding{{Rule: rule, Message: "somebody places"}}
		steps, _ := s.plan()
		if !slices.Contains(steps, "patch status Destination worker-1") {
			t.Errorf("%v: steps %q", mode, steps)
		}
		if mode == Manage && len(steps) > 1 {
			t.Errorf("something else is written: %q", steps)
		}
		is := func() string {
			condition := meta.FindStatusCondition(s.now.Destinations[0].Status.Conditions, kratix.SoleSchedulerCondition)
			return string(condition.Status) + " " + condition.Reason
		}
		if got, want := is(), "False "+rule.Name; got != want {
			t.Errorf("SoleScheduler is %s, want %s", got, want)
		}
		for _, unsure := range []finding.Rule{finding.PolicyUnchecked(), finding.PolicyDeniesSelf()} {
			s.said.Findings = []finding.Finding{{Rule: unsure, Message: "nobody knows"}}
			s.plan()
			if got, want := is(), "False "+rule.Name; got != want {
				t.Errorf("SoleScheduler is %s though nobody knows, want %s as before", got, want)
			}
		}
		s.said.Findings = nil
		s.plan()
		if got := is(); got != "True NoOtherScheduler" {
			t.Errorf("SoleScheduler is %s", got)
		}
	}
}

func TestNoWorkPlacementIsMadeOnADestinationThatIsGone(t *testing.T) {
	for name, leave := range map[string]func(*fixture){
		"gone":          func(s *fixture) { s.now.Destinations = nil },
		"being deleted": func(s *fixture) { s.now.Destinations[0].DeletionTimestamp = &noon },
		"there":         func(*fixture) {},
	} {
		s := newFixture(t)
		s.mode = Schedule
		leave(s)
		steps, _ := s.plan()
		if made := slices.Contains(steps, "create "+placementSteps); made != (name == "there") {
			t.Errorf("the Destination is %s: %q", name, steps)
		}
	}
}
