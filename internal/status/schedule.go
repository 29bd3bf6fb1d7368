package status

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// heldBack is a reason of the conditions Scheduled and Promoted.
const heldBack = "HeldBack"

// takeOddNames assigns WorkPlacements with unusual names to their groups. Otherwise these groups
// would get a second WorkPlacement.
func (p *planner) takeOddNames() {
	for _, have := range sorted(p.now.WorkPlacements) {
		usual := kratix.Key{Namespace: have.Namespace, Name: kratix.PlacementName(have.Work().Name, have.Spec.TargetDestinationName, have.Spec.ID)}
		placement, told := p.placements[usual]
		if have.Labels[kratix.WorkLabel] == "" || kratix.KeyOf(have) == usual || p.workPlacementByKey[usual] != nil || !told {
			continue
		}
		p.placements[kratix.KeyOf(have)], p.workPlacementByKey[usual] = placement, have
	}
}

// schedule updates a WorkPlacement that Kratix writes, or deletes it after its placement was
// removed. A quarantined placement keeps its spec.
func (p *planner) schedule(change *Change, have *kratix.WorkPlacement) {
	placement, told := p.placements[kratix.KeyOf(have)]
	work := p.workByKey[have.Work()]
	switch {
	case !told, work == nil, !have.DeletionTimestamp.IsZero(): // Kubernetes deletes the WorkPlacement together with its Work
	case placement.State == report.Placed, placement.State == report.Unchanged:
		patch := map[string]any{}
		if metadata := scheduledMetadata(have, work, placement); len(metadata) > 0 {
			patch["metadata"] = metadata
		}
		if want := placement.Object.Spec; !have.Spec.SameContents(want) || have.Spec.Generation != want.Generation {
			patch["spec"] = want
		}
		if len(patch) > 0 {
			change.step(Patch, patch)
		}
	case placement.State == report.Removed && p.mayGo(have, work):
		change.step(Delete, nil)
	}
}

// scheduledMetadata returns the patch of the metadata. It sets the annotations of the Work, and
// removes the label of a completed move.
func scheduledMetadata(have *kratix.WorkPlacement, work *kratix.Work, placement report.Placement) map[string]any {
	patch := map[string]any{}
	if annotations := annotationPatch(have.Annotations, work.Annotations); len(annotations) > 0 {
		patch["annotations"] = annotations
	}
	if _, moved := have.Labels[kratix.MovedFromLabel]; moved && placement.Object.Labels[kratix.MovedFromLabel] == "" {
		patch["labels"] = map[string]any{kratix.MovedFromLabel: nil}
	}
	return patch
}

// mayGo reports whether a WorkPlacement may be deleted: its Work no longer has the group, or the
// group was written to another Destination.
func (p *planner) mayGo(have *kratix.WorkPlacement, work *kratix.Work) bool {
	if !slices.ContainsFunc(work.Spec.WorkloadGroups, func(g kratix.WorkloadGroup) bool { return g.ID == have.Spec.ID }) {
		return true
	}
	return slices.ContainsFunc(p.byWork[kratix.KeyOf(work).String()], func(other report.Placement) bool {
		if other.Object == nil || other.State == report.Removed || other.Destination == have.Spec.TargetDestinationName || other.Object.Spec.ID != have.Spec.ID {
			return false
		}
		heir := p.workPlacementByKey[kratix.KeyOf(other.Object)]
		return heir != nil && heir.DeletionTimestamp.IsZero() && meta.IsStatusConditionTrue(heir.Status.Conditions, kratix.WriteSucceededCondition)
	})
}

// scheduleWork sets the conditions Scheduled and ConflictFree of a Work.
func (p *planner) scheduleWork(change *Change, work *kratix.Work) {
	placements := p.byWork[kratix.KeyOf(work).String()]
	schedule, known := p.scheduledAs(work, placements)
	conflicts := p.conflicts[kratix.Describe(work)]
	have := work.Status.Conditions
	free := p.keepsConflict(have, placements, p.conflictFree(work, conflicts))
	want := []metav1.Condition{free}
	switch {
	case known:
		want = append(want, schedule)
	case len(conflicts) == 0:
		return // a later round sets the condition
	}
	conditions, changed := p.put(have, generationOf(work, placements), want...)
	if len(changed) == 0 {
		return
	}
	change.step(PatchStatus, statusOf(conditions))
	change.conflictEvent(have, free, conflicts)
	if known && hasChanged(have, schedule) && schedule.Status == metav1.ConditionFalse && len(conflicts) == 0 {
		change.event(warning, schedule.Reason, schedule.Message)
	}
}

// scheduledAs returns the condition Scheduled of a Work. known is false if a later round must set
// it.
func (p *planner) scheduledAs(work *kratix.Work, placements []report.Placement) (condition metav1.Condition, known bool) {
	var held, failed []string
	for _, placement := range placements {
		switch placement.State {
		case report.Failed:
			failed = append(failed, fmt.Sprintf("%s on %s: %s", group(placement.Directory), placement.Destination, p.whyNot(placement)))
		case report.HeldBack:
			held = append(held, fmt.Sprintf("%s on %s: %s", group(placement.Directory), placement.Destination, placement.Reason))
		case report.Placed, report.Unchanged:
			have := p.workPlacementByKey[kratix.KeyOf(placement.Object)]
			if have == nil || !sameSpec(have.Spec, placement.Object.Spec) {
				return condition, false // the round after the write sets the condition
			}
		case report.Pending:
			return condition, false
		}
	}
	if len(failed) > 0 {
		return no(kratix.ScheduledCondition, storeNotReady, strings.Join(failed, "; ")), true
	}
	schedule, _, _, known := p.outcome(work, placements)
	schedule.Type = kratix.ScheduledCondition
	switch {
	case !known:
		return condition, false
	case schedule.Reason == placementsFails:
		schedule = no(kratix.ScheduledCondition, heldBack, strings.Join(held, "; "))
	case schedule.Status == metav1.ConditionTrue:
		schedule.Message = "each group has a WorkPlacement, which Kratix writes"
	}
	return schedule, true
}

// annotationPatch returns the annotations of a Work that its WorkPlacement lacks or has with
// another value. It omits those of kubectl and of this program.
func annotationPatch(have, want map[string]string) map[string]any {
	patch := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if !isCopied(key) {
			continue
		}
		if old, there := have[key]; !there || old != want[key] {
			patch[key] = want[key]
		}
	}
	return patch
}

func copied(annotations map[string]string) map[string]string {
	kept := map[string]string{}
	for key, value := range annotations {
		if isCopied(key) {
			kept[key] = value
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}

func isCopied(annotation string) bool {
	domain, _, _ := strings.Cut(annotation, "/")
	return domain != "kubectl.kubernetes.io" && domain != "kratix-schedule.io"
}
