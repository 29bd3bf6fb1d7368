package status

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// The reasons of the condition Promoted, in addition to the reasons of ConflictFree and the names
// of rules.
const (
	promoted            = "Promoted"
	destinationNotFound = "DestinationNotFound"
)

// promote sets the conditions Promoted and ConflictFree of a WorkPlacement that Kratix writes.
func (p *planner) promote(change *Change, have *kratix.WorkPlacement) {
	if !have.DeletionTimestamp.IsZero() {
		return
	}
	before := have.Status.Conditions
	conditions, changed := before, []metav1.Condition(nil)
	conflicts, work := p.conflictsOf(have), p.workByKey[have.Work()]
	free := metav1.Condition{}
	if work != nil && (len(conflicts) > 0 || meta.FindStatusCondition(before, kratix.ConflictFreeCondition) != nil) {
		free = p.promotedConflict(have, work, conflicts)
		conditions, changed = p.put(before, 0, free)
	}
	says, known := p.promotedAs(have, work)
	if known {
		var more []metav1.Condition
		conditions, more = p.put(conditions, have.Generation, says)
		changed = append(changed, more...)
	}
	if len(changed) == 0 {
		return
	}
	change.step(PatchStatus, statusOf(conditions))
	if free.Type != "" {
		change.conflictEvent(before, free, conflicts)
	}
	if known && len(conflicts) == 0 && says.Status == metav1.ConditionFalse && hasChanged(before, says) {
		change.event(warning, says.Reason, says.Message)
	}
}

// promotedConflict returns the condition ConflictFree of a WorkPlacement that has the condition or
// a conflict. A WorkPlacement that was not checked does not become free of conflicts.
func (p *planner) promotedConflict(have *kratix.WorkPlacement, work *kratix.Work, conflicts []finding.Finding) metav1.Condition {
	placement, told := p.placements[kratix.KeyOf(have)]
	isOut := !told || placement.State == report.Kept || placement.State == report.Unplaced
	if len(conflicts) > 0 || !isOut && !placement.Unread {
		return p.conflictFree(work, conflicts)
	}
	free := *meta.FindStatusCondition(have.Status.Conditions, kratix.ConflictFreeCondition)
	if why, known := p.outOfReach(have); isOut && known {
		free = unknown(why.Reason, why.Message)
	}
	p.doubts[kratix.KeyOf(work)] = free
	return free
}

// withDoubt returns the condition ConflictFree of a Work. An existing condition does not become
// True while the condition of one of its WorkPlacements is in doubt.
func (p *planner) withDoubt(have []metav1.Condition, work *kratix.Work, now metav1.Condition) metav1.Condition {
	doubt, doubtful := p.doubts[kratix.KeyOf(work)]
	was := meta.FindStatusCondition(have, kratix.ConflictFreeCondition)
	switch {
	case !doubtful || was == nil || now.Status != metav1.ConditionTrue || was.Status == metav1.ConditionTrue:
		return now
	case doubt.Status == metav1.ConditionUnknown:
		return doubt
	}
	return *was
}

// promotedAs returns the condition Promoted of a WorkPlacement. known is false if the report does
// not show it.
func (p *planner) promotedAs(have *kratix.WorkPlacement, work *kratix.Work) (condition metav1.Condition, known bool) {
	placement, told := p.placements[kratix.KeyOf(have)]
	if !told {
		placement.State = report.Unplaced
	}
	isCurrent := told && have.Spec.SameContents(placement.Object.Spec)
	switch placement.State {
	case report.Placed, report.Unchanged:
		return p.inStore(have, placement), isCurrent
	case report.HeldBack:
		return p.notInStore(have, placement, work), isCurrent
	case report.Failed:
		if placement.Unread && p.isPromoted(have) {
			return condition, false // the files may still be in the store
		}
		return p.notTaken(placement), true
	case report.Pending, report.Rehearsed:
		return condition, false
	}
	return p.outOfReach(have)
}

// isPromoted reports whether the condition Promoted of a WorkPlacement is True and current.
func (p *planner) isPromoted(have *kratix.WorkPlacement) bool {
	said := meta.FindStatusCondition(have.Status.Conditions, kratix.PromotedCondition)
	d := p.destinationByName[have.Spec.TargetDestinationName]
	if said == nil || said.Status != metav1.ConditionTrue || said.ObservedGeneration != have.Generation || d == nil {
		return false
	}
	live := p.now.Live[d.Name]
	at, err := layout.DestinationLocation(d, live, p.storeOf(live))
	return err == nil && strings.HasPrefix(said.Message, writtenAt(storeAndLocation(live.String(), at.String())))
}

func storeAndLocation(store, location string) string { return fmt.Sprintf("%s (%s)", store, location) }

// writtenAt returns the beginning of the message of a True condition Promoted.
func writtenAt(location string) string { return "written to " + location + " at " }

// inStore returns the condition of a promoted placement. Its message has the first revision with
// the placement.
func (p *planner) inStore(have *kratix.WorkPlacement, placement report.Placement) metav1.Condition {
	at := writtenAt(p.writtenTo[placement.Destination])
	said := meta.FindStatusCondition(have.Status.Conditions, kratix.PromotedCondition)
	if placement.State == report.Unchanged && said != nil && said.Status == metav1.ConditionTrue && strings.HasPrefix(said.Message, at) {
		return yes(kratix.PromotedCondition, promoted, said.Message)
	}
	return yes(kratix.PromotedCondition, promoted, at+p.revision[placement.Destination])
}

func (p *planner) notInStore(have *kratix.WorkPlacement, placement report.Placement, work *kratix.Work) metav1.Condition {
	conflicts := p.conflictsOf(have)
	switch {
	case len(conflicts) == 0:
		return no(kratix.PromotedCondition, heldBack, placement.Reason)
	case work == nil:
		return no(kratix.PromotedCondition, reasonOf(conflicts[0]), conflicts[0].Message)
	}
	return no(kratix.PromotedCondition, reasonOf(conflicts[0]), p.conflictFree(work, conflicts).Message)
}

func (p *planner) notTaken(placement report.Placement) metav1.Condition {
	if f, failed := p.about(p.now.Live[placement.Destination].String(), finding.StoreFailed()); failed {
		return no(kratix.PromotedCondition, destinationReason(f.Cause), strings.TrimSpace(f.Message+" "+f.Advice()))
	}
	return no(kratix.PromotedCondition, storeWriteFailed, placement.Reason)
}

// outOfReach returns the condition of a WorkPlacement that cannot be promoted. known is false if no
// reason for that is known.
func (p *planner) outOfReach(have *kratix.WorkPlacement) (condition metav1.Condition, known bool) {
	destination := p.destinationByName[have.Spec.TargetDestinationName]
	if destination == nil {
		return no(kratix.PromotedCondition, destinationNotFound, "there is no Destination "+have.Spec.TargetDestinationName), true
	}
	for _, object := range []string{kratix.Describe(have), kratix.WorkKind + " " + have.Work().String(), kratix.Describe(destination)} {
		for _, f := range p.others[object] {
			if f.Rule == finding.NotPromoted() || f.Rule.Severity == finding.Error {
				return no(kratix.PromotedCondition, f.Rule.Name, f.Message+". "+f.Advice()), true
			}
		}
	}
	return condition, false
}

// finalizeLive adds or removes the finalizer of a Destination whose files in its live state store
// are deleted with it.
func (p *planner) finalizeLive(change *Change, d *kratix.Destination) {
	has := slices.Contains(d.Finalizers, kratix.LiveFinalizer)
	_, live := p.now.Live[d.Name]
	live = live && p.covered[d.Name]
	_, left := p.about(kratix.Describe(d), finding.NotPromoted())
	switch {
	case !has && live && d.CleansUp() && !d.IsDeleted():
		change.step(Patch, finalizers(append(slices.Clone(d.Finalizers), kratix.LiveFinalizer)))
	case has && (left || !d.CleansUp() || d.IsDeleted() && p.isEmptied(d)):
		change.step(Patch, finalizers(without(d.Finalizers, kratix.LiveFinalizer)))
	}
}
