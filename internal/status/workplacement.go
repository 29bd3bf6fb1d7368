package status

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// The reasons of the conditions of a WorkPlacement, with the names that Kratix uses.
const (
	scheduledTo   = "ScheduledToDestination"
	writtenTo     = "WorkloadsWrittenToStateStore"
	failedWrite   = "WorkloadsFailedWrite"
	writtenTarget = "WorkloadsWrittenToTargetDestination"
)

const failedToWrite = "FailedWriteToDestination"

func (p *planner) workPlacements() []Change {
	var changes []Change
	for _, have := range sorted(p.now.WorkPlacements) {
		if !p.writesTo(have.Spec.TargetDestinationName) {
			continue
		}
		if change := p.workPlacement(have); !change.isEmpty() {
			changes = append(changes, change)
		}
	}
	if p.mode == Observe || p.mode == Promote {
		return changes
	}
	return append(changes, p.creations()...)
}

func (p *planner) creations() []Change {
	var changes []Change
	var made []report.Placement
	for _, key := range slices.SortedFunc(maps.Keys(p.placements), kratix.Key.Compare) {
		placement := p.placements[key]
		isNew := p.workPlacementByKey[key] == nil && p.isWanted(placement) && p.writesTo(placement.Destination) && p.workByKey[placement.Object.Work()] != nil
		if isNew && p.takesNew(placement.Destination) {
			changes, made = append(changes, p.create(placement)), append(made, placement)
		}
	}
	if p.mode == Manage {
		p.addReconciledEvents(changes, made)
	}
	return changes
}

// takesNew reports whether a WorkPlacement may be created for a Destination. In mode Schedule, the
// Destination must exist now.
func (p *planner) takesNew(destination string) bool {
	d := p.destinationByName[destination]
	return p.mode != Schedule || d != nil && !d.IsDeleted()
}

func (p *planner) workPlacement(have *kratix.WorkPlacement) Change {
	change := Change{Object: have}
	placement, told := p.placements[kratix.KeyOf(have)]
	switch {
	case p.isUnreadable(have): // the spec and the status are unknown
	case p.mode == Observe:
		p.observePlacement(&change, have)
	case p.mode == Schedule:
		p.schedule(&change, have)
	case p.mode == Promote:
		p.promote(&change, have)
	case told && placement.State == report.Pending: // a later round sets the conditions
	case !have.DeletionTimestamp.IsZero():
		p.deleted(&change, have)
	case told && p.wasWritten(placement):
	case p.isGoing(have):
		remove(&change, have)
	case told:
		p.update(&change, have, placement)
	}
	p.setPlacementAgent(&change, have)
	return change
}

// deleted removes the finalizers of a WorkPlacement that is being deleted, if its files are gone or
// it has to be created again.
func (p *planner) deleted(change *Change, have *kratix.WorkPlacement) {
	placement, told := p.placements[kratix.KeyOf(have)]
	switch {
	case p.isGoing(have):
		remove(change, have)
	case told && placement.State != report.Kept && p.workByKey[have.Work()] != nil:
		// Its Work still needs the WorkPlacement, so it is created again.
		change.step(Patch, finalizers(withoutOurs(have.Finalizers)))
	}
}

// wasWritten reports whether a placement whose store cannot be read was written with its current
// content.
func (p *planner) wasWritten(placement report.Placement) bool {
	if placement.State != report.Failed || !placement.Unread || placement.Object == nil {
		return false
	}
	have := p.workPlacementByKey[kratix.KeyOf(placement.Object)]
	return have != nil && sameSpec(have.Spec, placement.Object.Spec) && meta.IsStatusConditionTrue(have.Status.Conditions, kratix.WriteSucceededCondition)
}

func (p *planner) isWanted(placement report.Placement) bool {
	switch placement.State {
	case report.Placed, report.Unchanged:
		return true
	case report.Failed:
		return p.mode == Manage
	case report.HeldBack:
		return p.mode == Manage && placement.Written
	}
	return false
}

// isGoing reports whether a WorkPlacement can be removed, because it has no files.
func (p *planner) isGoing(have *kratix.WorkPlacement) bool {
	if placement, told := p.placements[kratix.KeyOf(have)]; told {
		return placement.State == report.Removed || placement.State == report.HeldBack && !placement.Written
	}
	destination, there := p.destinationByName[have.Spec.TargetDestinationName]
	orphaned := p.workByKey[have.Work()] == nil
	leaving := there && destination.IsDeleted() && destination.CleansUp()
	return orphaned && (!there || p.covered[destination.Name]) || leaving && p.emptied[destination.Name]
}

// Removal returns the change that deletes a WorkPlacement without files. It removes the finalizers
// of Kratix first.
func Removal(have *kratix.WorkPlacement) Change {
	change := Change{Object: have}
	remove(&change, have)
	return change
}

func remove(change *Change, have *kratix.WorkPlacement) {
	if left := withoutOurs(have.Finalizers); len(left) < len(have.Finalizers) {
		change.step(Patch, finalizers(left))
	}
	if have.DeletionTimestamp.IsZero() {
		change.step(Delete, nil)
	}
}

func withoutOurs(list []string) []string {
	return without(without(list, kratix.PlacementFinalizer), kratix.DotFilesFinalizer)
}

func (p *planner) create(placement report.Placement) Change {
	made := placement.Object.DeepCopy()
	work := p.workByKey[made.Work()]
	made.Finalizers = p.finalizersFor(placement)
	made.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(work, work.GroupVersionKind())}
	made.OwnerReferences[0].APIVersion, made.OwnerReferences[0].Kind = kratix.APIVersion, kratix.WorkKind
	made.Annotations = copied(work.Annotations)
	change := Change{Object: made}
	change.step(Create, nil)
	if p.mode == Manage {
		p.setStatus(&change, made, placement)
		p.setPlacementAgent(&change, made)
	} else {
		// BlockOwnerDeletion requires the permission to change the finalizers of the Work.
		made.OwnerReferences[0].BlockOwnerDeletion = nil
	}
	return change
}

func (p *planner) finalizersFor(placement report.Placement) []string {
	list := []string{kratix.PlacementFinalizer}
	if d := p.destinationByName[placement.Destination]; d != nil && d.FilepathMode() == kratix.None {
		list = append(list, kratix.DotFilesFinalizer)
	}
	return list
}

func (p *planner) update(change *Change, have *kratix.WorkPlacement, placement report.Placement) {
	if placement.State == report.Kept {
		if placement.Misplaced {
			p.label(change, have, placement)
			p.setStatus(change, have, placement)
		}
		return
	}
	metadata := p.metadata(have, placement)
	patch := map[string]any{}
	if len(metadata) > 0 {
		patch["metadata"] = metadata
	}
	// A quarantined placement keeps the spec of the written files.
	if want := placement.Object.Spec; placement.State != report.HeldBack && !sameSpec(have.Spec, want) {
		patch["spec"] = want
	}
	if len(patch) > 0 {
		change.step(Patch, patch)
	}
	p.setStatus(change, have, placement)
}

func (p *planner) label(change *Change, have *kratix.WorkPlacement, placement report.Placement) {
	if labels := labelPatch(have.Labels, placement.Object.Labels); len(labels) > 0 {
		change.step(Patch, map[string]any{"metadata": map[string]any{"labels": labels}})
	}
}

// sameSpec reports whether two specs have the same placement and generation.
func sameSpec(a, b kratix.WorkPlacementSpec) bool {
	return a.SamePlacement(b) && a.Generation == b.Generation
}

func (p *planner) metadata(have *kratix.WorkPlacement, placement report.Placement) map[string]any {
	patch := map[string]any{}
	if labels := labelPatch(have.Labels, placement.Object.Labels); len(labels) > 0 {
		patch["labels"] = labels
	}
	list := slices.Clone(have.Finalizers)
	for _, finalizer := range p.finalizersFor(placement) {
		if !slices.Contains(list, finalizer) {
			list = append(list, finalizer)
		}
	}
	if len(list) > len(have.Finalizers) {
		patch["finalizers"] = list
	}
	work := p.workByKey[have.Work()]
	if work != nil {
		if annotations := annotationPatch(have.Annotations, work.Annotations); len(annotations) > 0 {
			patch["annotations"] = annotations
		}
	}
	if work != nil && !slices.ContainsFunc(have.OwnerReferences, func(r metav1.OwnerReference) bool { return r.UID == work.UID }) {
		owner := *metav1.NewControllerRef(work, work.GroupVersionKind())
		owner.APIVersion, owner.Kind = kratix.APIVersion, kratix.WorkKind
		patch["ownerReferences"] = []metav1.OwnerReference{owner}
	}
	return patch
}

// labelPatch returns the patch of the labels that differ from the wanted labels. It removes
// MisplacedLabel if that is not wanted.
func labelPatch(have, want map[string]string) map[string]any {
	patch := map[string]any{}
	for key, value := range want {
		if old, there := have[key]; !there || old != value {
			patch[key] = value
		}
	}
	if _, there := have[kratix.MisplacedLabel]; there && want[kratix.MisplacedLabel] == "" {
		patch[kratix.MisplacedLabel] = nil
	}
	return patch
}

func (p *planner) setStatus(change *Change, have *kratix.WorkPlacement, placement report.Placement) {
	conflicts := p.conflictsOf(have)
	schedule := yes(kratix.ScheduleSucceededCondition, scheduledTo, "scheduled to "+placement.Destination)
	write := yes(kratix.WriteSucceededCondition, writtenTo, "")
	ready := yes(kratix.ReadyCondition, writtenTarget, "Ready")
	if placement.Misplaced {
		schedule = no(kratix.ScheduleSucceededCondition, mismatch, placement.Reason)
		ready = no(kratix.ReadyCondition, misplaced, misplaced)
	}
	want := []metav1.Condition{schedule}
	switch placement.State {
	case report.HeldBack, report.Failed:
		write = no(kratix.WriteSucceededCondition, failedWrite, p.whyNot(placement))
		ready = no(kratix.ReadyCondition, failedWrite, "Failing")
		want = append(want, write, ready)
	case report.Kept:
		want = append(want, ready)
	default:
		want = append(want, write, ready)
	}
	before := have.Status.Conditions
	free := p.keepsConflict(before, []report.Placement{placement}, p.conflictFree(p.workByKey[have.Work()], conflicts))
	want = append(want, free)

	conditions, changed := p.put(before, 0, want...)
	patch := statusOf(conditions)
	version := p.version(have, placement)
	if version != have.Status.VersionID {
		patch["status"].(map[string]any)["versionID"] = version //nolint:errcheck // statusOf created it
	} else if len(changed) == 0 {
		return
	}
	change.step(PatchStatus, patch)
	change.conflictEvent(before, free, conflicts)
	if len(conflicts) == 0 {
		change.writeEvent(before, want, hasChanged(before, free), placement.Destination)
	}
}

// writeEvent adds an Event if a WorkPlacement was written, cannot be written, or has become
// misplaced. isOver means that another Event reports the end of a conflict.
func (c *Change) writeEvent(before, now []metav1.Condition, isOver bool, destination string) {
	write := meta.FindStatusCondition(now, kratix.WriteSucceededCondition)
	schedule := meta.FindStatusCondition(now, kratix.ScheduleSucceededCondition)
	hasTurned := write != nil && hasChanged(before, *write)
	switch {
	case hasTurned && write.Status == metav1.ConditionFalse:
		c.event(warning, failedToWrite, write.Message)
	case hasTurned && !isOver:
		c.event(normal, writtenTo, "it is written to "+destination)
	case hasChanged(before, *schedule) && schedule.Status == metav1.ConditionFalse:
		c.event(warning, mismatch, schedule.Message)
	}
}

// version returns the versionID to set on a WorkPlacement.
func (p *planner) version(have *kratix.WorkPlacement, placement report.Placement) string {
	written := placement.State == report.Placed || placement.State == report.Unchanged && have.Status.VersionID == ""
	if written && p.revision[placement.Destination] != "" {
		return p.revision[placement.Destination]
	}
	return have.Status.VersionID
}

func (p *planner) whyNot(placement report.Placement) string {
	if f, failed := p.storeFailure(placement.Destination); failed && placement.State == report.Failed {
		return f.Message
	}
	return placement.Reason
}

// conflictsOf returns the conflicts of the Work of a WorkPlacement. It returns none if they concern
// other placements.
func (p *planner) conflictsOf(have *kratix.WorkPlacement) []finding.Finding {
	conflicts := p.conflicts[kratix.WorkKind+" "+have.Work().String()]
	isHeld := func(placement report.Placement) bool { return placement.State == report.HeldBack }
	placement := p.placements[kratix.KeyOf(have)]
	if len(conflicts) == 0 || isHeld(placement) || !slices.ContainsFunc(p.byWork[have.Work().String()], isHeld) {
		return conflicts
	}
	return nil
}

func (p *planner) observePlacement(change *Change, have *kratix.WorkPlacement) {
	if work := p.workByKey[have.Work()]; work != nil && have.DeletionTimestamp.IsZero() {
		p.observe(change, work, have.Status.Conditions, p.conflictsOf(have))
	}
}
