package kratixlike

import (
	"context"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

func (s *scheduler) report(ctx context.Context, work *kratix.Work, result outcome) error {
	scheduled, ready := result.conditions()
	conditions, changed := set(work.Status.Conditions, scheduled, ready)
	groups := len(work.Spec.WorkloadGroups)
	if !changed && work.Status.WorkPlacements == groups && work.Status.WorkPlacementsCreated == result.scheduled {
		return nil
	}
	return s.client.patchStatus(ctx, workResource, work, map[string]any{
		"conditions": conditions, "workPlacements": groups, "workPlacementsCreated": result.scheduled,
	})
}

func (o outcome) conditions() (scheduled, ready metav1.Condition) {
	not := func(reason, message, readyReason, readyMessage string) (metav1.Condition, metav1.Condition) {
		return isFalse(kratix.ScheduleSucceededCondition, reason, message), isFalse(kratix.ReadyCondition, readyReason, readyMessage)
	}
	var failing, misplaced []string
	for _, placement := range o.placements {
		if meta.IsStatusConditionFalse(placement.Status.Conditions, kratix.WriteSucceededCondition) {
			failing = append(failing, placement.Name)
		}
		if placement.Labels[kratix.MisplacedLabel] == "true" {
			misplaced = append(misplaced, placement.Name)
		}
	}
	switch {
	case o.failure != nil:
		const reason = "FailedToScheduleWorkloads"
		return not(reason, o.failure.Error(), reason, "Failing")
	case len(o.unmatched) > 0:
		const reason = "UnscheduledWorkloads"
		return not(reason, "no Destination matches the groups "+strings.Join(o.unmatched, ", "), reason, "Pending")
	case len(failing) > 0:
		const reason = "WorkplacementsFailing"
		return not(reason, "not written: "+strings.Join(failing, ", "), reason, "Failing")
	case len(misplaced) > 0:
		return not("DestinationSelectorMismatch", "on a Destination that does not match: "+strings.Join(misplaced, ", "), "Misplaced", "Misplaced")
	}
	const reason = "AllWorkplacementsScheduled"
	return isTrue(kratix.ScheduleSucceededCondition, reason, "all groups have a WorkPlacement"), isTrue(kratix.ReadyCondition, reason, "Ready")
}

func (s *scheduler) reportPlacements(ctx context.Context, work *kratix.Work, placements []*kratix.WorkPlacement) error {
	for _, placement := range placements {
		want := []metav1.Condition{isTrue(kratix.ScheduleSucceededCondition, "ScheduledToDestination", "scheduled for Work "+work.Name)}
		switch {
		case placement.Labels[kratix.MisplacedLabel] == "true":
			want = misplacedConditions()
		case meta.FindStatusCondition(placement.Status.Conditions, kratix.ReadyCondition) == nil:
			want = append(want, isFalse(kratix.ReadyCondition, "ScheduledToDestination", "Pending"))
		}
		conditions, changed := set(placement.Status.Conditions, want...)
		if !changed || !placement.DeletionTimestamp.IsZero() {
			continue
		}
		if err := s.client.patchStatus(ctx, placementResource, placement, map[string]any{"conditions": conditions}); err != nil {
			return ignoreNotFound(err)
		}
	}
	return nil
}

func misplacedConditions() []metav1.Condition {
	return []metav1.Condition{
		isFalse(kratix.ScheduleSucceededCondition, "DestinationSelectorMismatch", "the Destination does not match"),
		isFalse(kratix.ReadyCondition, "Misplaced", "Misplaced"),
	}
}
