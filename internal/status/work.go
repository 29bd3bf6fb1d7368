package status

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

const (
	allScheduled    = "AllWorkplacementsScheduled"
	unscheduled     = "UnscheduledWorkloads"
	mismatch        = "DestinationSelectorMismatch"
	misplaced       = "Misplaced"
	placementsFails = "WorkplacementsFailing"
	notScheduled    = "FailedToScheduleWorkloads"
)

// Further reasons of Events about a Work, with the names that Kratix uses.
const (
	noMatch      = "NoMatchingDestination"
	waits        = "WaitingDestination"
	reconciled   = "WorkplacementReconciled"
	failedDelete = "FailedDelete"
)

func (p *planner) works() []Change {
	var changes []Change
	for _, work := range sorted(p.now.Works) {
		change := Change{Object: work}
		if p.mode == Manage {
			p.decide(&change, work)
		}
		switch {
		case !p.isSelected(work):
		case !work.DeletionTimestamp.IsZero():
			p.releaseWork(&change, work)
		case p.isUnreadable(work): // the conditions are unknown, and a patch would replace them
		case p.mode == Observe, p.mode == Promote:
			p.observe(&change, work, work.Status.Conditions, p.conflicts[kratix.Describe(work)])
		case p.mode == Schedule:
			p.scheduleWork(&change, work)
		default:
			p.work(&change, work)
		}
		if p.isSelected(work) {
			p.setWorkAgent(&change, work)
			p.setWorkRollout(&change, work)
		}
		if !change.isEmpty() {
			changes = append(changes, change)
		}
	}
	return changes
}

func (p *planner) isUnreadable(object kratix.Object) bool {
	return p.now.Unreadable[kratix.Describe(object)]
}

// releaseWork removes the finalizer of a deleted Work once all its placements are removed.
func (p *planner) releaseWork(change *Change, work *kratix.Work) {
	if p.mode != Manage || !slices.Contains(work.Finalizers, kratix.WorkFinalizer) {
		return
	}
	p.setStuck(change, work)
	for _, placement := range p.leaving[kratix.KeyOf(work)] {
		if !p.writesTo(placement.Spec.TargetDestinationName) || !p.isGoing(placement) {
			return
		}
	}
	// A placement without a WorkPlacement may still have files.
	for _, placement := range p.byWork[kratix.KeyOf(work).String()] {
		if placement.State != report.Removed {
			return
		}
	}
	change.step(Patch, finalizers(without(work.Finalizers, kratix.WorkFinalizer)))
}

func (p *planner) setStuck(change *Change, work *kratix.Work) {
	var stuck []string
	for _, placement := range p.leaving[kratix.KeyOf(work)] {
		if f, failed := p.storeFailure(placement.Spec.TargetDestinationName); failed && !p.isGoing(placement) {
			stuck = append(stuck, "on "+placement.Spec.TargetDestinationName+": "+f.Message)
		}
	}
	if len(stuck) == 0 || p.isUnreadable(work) {
		return
	}
	ready := no(kratix.ReadyCondition, failedDelete, "its files cannot be removed: "+strings.Join(stuck, "; "))
	conditions, changed := p.put(work.Status.Conditions, work.Generation, ready)
	if len(changed) == 0 {
		return
	}
	change.step(PatchStatus, statusOf(conditions))
	if hasChanged(work.Status.Conditions, ready) {
		change.event(warning, failedDelete, ready.Message)
	}
}

func (p *planner) storeFailure(destination string) (finding.Finding, bool) {
	d := p.destinationByName[destination]
	if d == nil || d.Spec.StateStoreRef == nil {
		return finding.Finding{}, false
	}
	return p.about(d.Spec.StateStoreRef.String(), finding.StoreFailed())
}

// observe sets the condition ConflictFree of a Work or WorkPlacement if there is or was a conflict.
func (p *planner) observe(change *Change, work *kratix.Work, have []metav1.Condition, conflicts []finding.Finding) {
	want := p.keepsConflict(have, p.byWork[kratix.KeyOf(work).String()], p.conflictFree(work, conflicts))
	if len(conflicts) == 0 && meta.FindStatusCondition(have, kratix.ConflictFreeCondition) == nil {
		return
	}
	if p.mode == Promote {
		want = p.withDoubt(have, work, want)
	}
	conditions, changed := p.put(have, 0, want)
	if len(changed) > 0 {
		change.step(PatchStatus, statusOf(conditions))
		change.conflictEvent(have, want, conflicts)
	}
}

func (p *planner) work(change *Change, work *kratix.Work) {
	placements := p.byWork[kratix.KeyOf(work).String()]
	schedule, ready, created, known := p.outcome(work, placements)
	if !known {
		return
	}
	conflicts := p.conflicts[kratix.Describe(work)]
	have := work.Status.Conditions
	free := p.keepsConflict(have, placements, p.conflictFree(work, conflicts))
	conditions, changed := p.put(have, generationOf(work, placements), schedule, ready, free)
	groups := len(work.Spec.WorkloadGroups)
	if len(changed) == 0 && work.Status.WorkPlacements == groups && work.Status.WorkPlacementsCreated == created {
		return
	}
	patch := statusOf(conditions)
	patch["status"].(map[string]any)["workPlacements"] = groups         //nolint:errcheck // statusOf created it
	patch["status"].(map[string]any)["workPlacementsCreated"] = created //nolint:errcheck // statusOf created it
	change.step(PatchStatus, patch)
	change.conflictEvent(have, free, conflicts)
	// The Event about the end of a conflict also reports the recovery.
	if isWell := schedule.Status == metav1.ConditionTrue; hasChanged(have, schedule) && len(conflicts) == 0 && !(isWell && hasChanged(have, free)) {
		kind, reason := p.eventOf(work, schedule)
		change.event(kind, reason, schedule.Message)
	}
}

// eventOf returns the type and the reason of the Event about a Work whose condition
// ScheduleSucceeded has changed.
func (p *planner) eventOf(work *kratix.Work, schedule metav1.Condition) (kind, reason string) {
	switch {
	case schedule.Status == metav1.ConditionTrue:
		return normal, schedule.Reason
	case schedule.Reason != unscheduled:
		return warning, schedule.Reason
	}
	if _, fits := p.about(kratix.Describe(work), finding.NoDestination()); !fits {
		return normal, waits // a matching Destination exists but cannot be used now
	}
	return normal, noMatch
}

// addReconciledEvents adds an Event about each Work that stays placed and gets another
// WorkPlacement. made are the placements of the changes.
func (p *planner) addReconciledEvents(changes []Change, made []report.Placement) {
	on := map[*kratix.Work][]string{}
	for _, placement := range made {
		work := p.workByKey[placement.Object.Work()]
		on[work] = append(on[work], placement.Destination)
	}
	for i, placement := range made {
		work := p.workByKey[placement.Object.Work()]
		names := on[work]
		delete(on, work)
		if len(names) == 0 || !meta.IsStatusConditionTrue(work.Status.Conditions, kratix.ScheduleSucceededCondition) {
			continue // an Event was added already, or the conditions of the Work change
		}
		if schedule, _, _, known := p.outcome(work, p.byWork[kratix.KeyOf(work).String()]); known && schedule.Status == metav1.ConditionTrue {
			changes[i].eventAbout(work, normal, reconciled, "it has a WorkPlacement more, on "+strings.Join(names, ", "))
		}
	}
}

// generationOf returns the generation of the Work that the round has read.
func generationOf(work *kratix.Work, placements []report.Placement) int64 {
	for _, placement := range placements {
		if placement.Object != nil && placement.Object.Spec.Generation > 0 && placement.State != report.Removed {
			return placement.Object.Spec.Generation
		}
	}
	return work.Generation
}

// outcome returns the conditions that Kratix would set on a Work, and the number of groups with a
// placement. known is false if the report does not show them.
func (p *planner) outcome(work *kratix.Work, placements []report.Placement) (schedule, ready metav1.Condition, created int, known bool) {
	var waiting, failing, astray []string
	placed := map[string]bool{}
	for _, placement := range placements {
		name := fmt.Sprintf("%s on %s: %s", group(placement.Directory), placement.Destination, placement.Reason)
		switch {
		case placement.State == report.Removed:
			continue
		case placement.State == report.Pending:
			if !p.failsElsewhere(placement) {
				return schedule, ready, 0, false // a later round sets the conditions
			}
			failing = append(failing, name)
		case placement.State == report.Unplaced:
			waiting = append(waiting, group(placement.Directory)+": "+placement.Reason)
			continue
		case placement.State == report.HeldBack, placement.State == report.Failed && !p.wasWritten(placement):
			failing = append(failing, name)
		case placement.Misplaced:
			astray = append(astray, name)
		}
		placed[placement.Directory] = true
	}
	invalid, isInvalid := p.about(kratix.Describe(work), finding.InvalidObject())
	switch {
	case isInvalid:
		return no(kratix.ScheduleSucceededCondition, notScheduled, invalid.Message), no(kratix.ReadyCondition, notScheduled, "Pending"), len(placed), true
	case len(placed)+len(waiting) < len(work.Spec.WorkloadGroups):
		return schedule, ready, 0, false
	}
	schedule, ready = scheduled(waiting, failing, astray)
	return schedule, ready, len(placed), true
}

func scheduled(waiting, failing, astray []string) (schedule, ready metav1.Condition) {
	about := func(reason, short string, because []string) (metav1.Condition, metav1.Condition) {
		return no(kratix.ScheduleSucceededCondition, reason, strings.Join(because, "; ")), no(kratix.ReadyCondition, reason, short)
	}
	switch {
	case len(waiting) > 0:
		return about(unscheduled, "Pending", waiting)
	case len(failing) > 0:
		return about(placementsFails, "Failing", failing)
	case len(astray) > 0:
		schedule, _ = about(mismatch, "", astray)
		return schedule, no(kratix.ReadyCondition, misplaced, misplaced)
	}
	return yes(kratix.ScheduleSucceededCondition, allScheduled, "everything is scheduled and written"), yes(kratix.ReadyCondition, allScheduled, "Ready")
}

func group(directory string) string {
	if directory == "" || directory == kratix.DefaultDirectory {
		return "the default group"
	}
	return "the group " + directory
}

// sorted returns the objects sorted by namespace and name.
func sorted[O kratix.Object](objects []O) []O {
	return slices.SortedFunc(slices.Values(objects), func(a, b O) int {
		return cmp.Or(cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
	})
}

func without(list []string, item string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == item })
}

func finalizers(list []string) map[string]any {
	if list == nil {
		list = []string{}
	}
	return map[string]any{"metadata": map[string]any{"finalizers": list}}
}
