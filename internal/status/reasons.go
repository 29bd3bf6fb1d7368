package status

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// Reason is a row of the table that Reasons returns: a condition or an Event of an object.
type Reason struct {
	// Object is the kind of the object.
	Object string
	// Condition is the type of the condition. It is empty for an Event.
	Condition string
	// Value is the status of the condition, or the type of the Event.
	Value string
	// Reason is the reason of the condition or Event, or RuleName.
	Reason string
	// When describes when the condition is set or the Event is sent.
	When string
	// Kratix means that Kratix's own controller sets the condition or sends the Event.
	Kratix bool
	// Modes are the modes in which this program sets the condition or sends the Event.
	Modes []Mode
	// WhyNot is the reason why this program does not set the condition or send the Event. It may be
	// empty.
	WhyNot string
}

// RuleName is the Reason of a row that stands for the names of rules.
const RuleName = "RULE"

// Reasons returns the conditions and Events that objects can have, from this program or from
// Kratix's own controller. It omits those of mode Promote.
func Reasons() []Reason {
	return slices.Concat(
		workConditions(), workEvents(), conflictReasons(kratix.WorkKind, Manage, Observe, Schedule), agentReasons(kratix.WorkKind), rolloutReasons(kratix.WorkKind, kratix.RolledOutCondition),
		workPlacementReasons(), conflictReasons(kratix.WorkPlacementKind, Manage, Observe), agentReasons(kratix.WorkPlacementKind),
		destinationReasons(), agentReasons(kratix.DestinationKind), storeReasons(kratix.GitStateStoreKind), storeReasons(kratix.BucketStateStoreKind), storeReasons(kratix.OCIStateStoreKind),
		ownRolloutReasons(),
	)
}

const (
	isTrue    = "True"
	isFalse   = "False"
	isUnknown = "Unknown"
)

type table struct {
	object string
	rows   []Reason
}

func (t *table) both(condition, value, reason, when string) {
	t.rows = append(t.rows, Reason{Object: t.object, Condition: condition, Value: value, Reason: reason, When: when, Kratix: true, Modes: []Mode{Manage}})
}

func (t *table) ownOnly(condition, value, reason, when string, modes ...Mode) {
	t.rows = append(t.rows, Reason{Object: t.object, Condition: condition, Value: value, Reason: reason, When: when, Modes: modes})
}

func (t *table) kratixOnly(condition, value, reason, when, whyNot string) {
	t.rows = append(t.rows, Reason{Object: t.object, Condition: condition, Value: value, Reason: reason, When: when, Kratix: true, WhyNot: whyNot})
}

func workConditions() []Reason {
	t := table{object: kratix.WorkKind}
	t.both(kratix.ReadyCondition, isTrue, allScheduled, "each group is where it fits; in manage the state stores have acknowledged all files, too")
	t.both(kratix.ReadyCondition, isFalse, unscheduled, "a group has no Destination")
	t.both(kratix.ReadyCondition, isFalse, misplaced, "a group is on a Destination that no longer fits")
	t.both(kratix.ReadyCondition, isFalse, placementsFails, "a placement is not written; in manage also while it is held back")
	t.both(kratix.ReadyCondition, isFalse, notScheduled, "no WorkPlacement could be made or changed; in manage: the Work is invalid (rule KS024)")
	t.ownOnly(kratix.ReadyCondition, isFalse, failedDelete, "the Work is being deleted, and its files cannot be removed", Manage)
	t.both(kratix.ScheduleSucceededCondition, isTrue, allScheduled, "as Ready")
	t.both(kratix.ScheduleSucceededCondition, isFalse, unscheduled, "as Ready; the message has the reason for each group")
	t.both(kratix.ScheduleSucceededCondition, isFalse, mismatch, "as Ready False Misplaced")
	t.both(kratix.ScheduleSucceededCondition, isFalse, placementsFails, "as Ready; the message names each placement, and why")
	t.both(kratix.ScheduleSucceededCondition, isFalse, notScheduled, "as Ready")
	t.ownOnly(kratix.ScheduledCondition, isTrue, allScheduled, "each group has a WorkPlacement where it fits", Schedule)
	t.ownOnly(kratix.ScheduledCondition, isFalse, heldBack, "a group has no WorkPlacement, or an older one, because of a conflict", Schedule)
	t.ownOnly(kratix.ScheduledCondition, isFalse, unscheduled, "a group has no Destination", Schedule)
	t.ownOnly(kratix.ScheduledCondition, isFalse, mismatch, "a group is on a Destination that no longer fits", Schedule)
	t.ownOnly(kratix.ScheduledCondition, isFalse, storeNotReady, "the state store of a group's Destination cannot be read", Schedule)
	t.ownOnly(kratix.ScheduledCondition, isFalse, notScheduled, "the Work is invalid (rule KS024)", Schedule)
	return t.rows
}

func workEvents() []Reason {
	t := table{object: kratix.WorkKind}
	t.both("", normal, allScheduled, "it becomes Ready after it was not; Kratix: at each reconciliation")
	t.both("", normal, noMatch, "no Destination has the labels that a group asks for")
	t.both("", normal, waits, "a group waits for a Destination; in manage: one fits, and cannot take the group now")
	t.both("", normal, reconciled, "a WorkPlacement was made; in manage: one more of a Work that was placed before")
	t.both("", warning, mismatch, "a Destination no longer fits")
	t.both("", warning, placementsFails, "a placement cannot be written")
	t.both("", warning, failedDelete, "its WorkPlacements cannot be deleted; in manage: it has the finalizer of Kratix, and its files cannot be removed")
	t.ownOnly("", warning, notScheduled, "the Work is invalid (rule KS024)", Manage, Schedule)
	t.ownOnly("", warning, heldBack, "a placement waits for a reason other than a conflict of the Work itself", Schedule)
	t.ownOnly("", warning, unscheduled, "a group has no Destination", Schedule)
	t.ownOnly("", warning, mismatch, "a Destination no longer fits", Schedule)
	t.ownOnly("", warning, storeNotReady, "a state store cannot be read", Schedule)
	return t.rows
}

func conflictReasons(kind string, modes ...Mode) []Reason {
	t := table{object: kind}
	t.ownOnly(kratix.ConflictFreeCondition, isTrue, noConflict, "nothing of it is held back; in observe only after there was a conflict", modes...)
	t.ownOnly("", normal, noConflict, "a conflict is over", modes...)
	for _, rule := range holdingRules() {
		reason := rule.Name
		if reason == "DuplicateObject" {
			reason = duplicateResources
		}
		when := "rule " + rule.ID
		t.ownOnly(kratix.ConflictFreeCondition, isFalse, reason, when, modes...)
		t.ownOnly("", warning, reason, when, modes...)
	}
	return t.rows
}

func agentReasons(kind string) []Reason {
	t := table{object: kind}
	add := func(condition, value, reason, when string) {
		t.ownOnly(condition, value, reason, when, Manage, Observe, Schedule)
	}
	revision := "; the message has the first revision with them"
	if kind == kratix.DestinationKind {
		revision = "; the message has the first revision of each root with them"
	}
	add(kratix.AppliedCondition, isTrue, string(agent.Applied), "Flux or Argo CD has applied its current files"+revision)
	add(kratix.HealthyCondition, isTrue, string(agent.Healthy), "its current files are applied, and the health of the objects was checked"+revision)
	for _, condition := range []string{kratix.AppliedCondition, kratix.HealthyCondition} {
		add(condition, isUnknown, report.NotReported, "Flux or Argo CD has not reported its current files yet")
		if kind != kratix.DestinationKind {
			add(condition, isUnknown, report.Blocked, "Flux or Argo CD fails on an object of another placement, or it is not certain whose; the message names it")
		}
		if kind != kratix.WorkPlacementKind {
			add(condition, isUnknown, partlyReported, "some of its placements are applied or healthy, others are not reported yet")
		}
	}
	for _, failed := range []struct {
		outcome agent.Outcome
		when    string
	}{
		{agent.BuildFailed, "Flux or Argo CD cannot build its files"},
		{agent.ApplyFailed, "the API server refuses one of its objects"},
	} {
		add(kratix.AppliedCondition, isFalse, string(failed.outcome), failed.when)
		if kind == kratix.DestinationKind {
			add(kratix.HealthyCondition, isFalse, string(failed.outcome), failed.when)
		} else {
			add(kratix.HealthyCondition, isUnknown, string(failed.outcome), failed.when)
		}
		add("", warning, string(failed.outcome), failed.when)
	}
	add(kratix.HealthyCondition, isFalse, string(agent.HealthFailed), "one of its objects is not healthy")
	add("", warning, string(agent.HealthFailed), "one of its objects is not healthy")
	if kind == kratix.DestinationKind {
		const when = "objects that are no longer wanted cannot be deleted"
		add(kratix.AppliedCondition, isFalse, string(agent.PruneFailed), when)
		add("", warning, string(agent.PruneFailed), when)
	}
	add("", normal, string(agent.Applied), "it is applied after a failure")
	add("", normal, string(agent.Healthy), "it is healthy after a failure")
	return t.rows
}

func workPlacementReasons() []Reason {
	t := table{object: kratix.WorkPlacementKind}
	t.both(kratix.ReadyCondition, isTrue, writtenTarget, "it is written, and where it fits")
	t.both(kratix.ReadyCondition, isFalse, misplaced, "its Destination no longer fits")
	t.both(kratix.ReadyCondition, isFalse, failedWrite, "it cannot be written; in manage also while a change is held back")
	t.kratixOnly(kratix.ReadyCondition, isFalse, scheduledTo, "it is scheduled and not written yet", "a WorkPlacement is made after its files are written")
	t.both(kratix.ScheduleSucceededCondition, isTrue, scheduledTo, "its Destination fits")
	t.both(kratix.ScheduleSucceededCondition, isFalse, mismatch, "its Destination no longer fits")
	t.both(kratix.WriteSucceededCondition, isTrue, writtenTo, "the state store has acknowledged its files")
	t.both(kratix.WriteSucceededCondition, isFalse, failedWrite, "as Ready; the message says why")
	t.both("", normal, writtenTo, "it is written after it was not; Kratix: at each write")
	t.both("", warning, failedToWrite, "it cannot be written")
	t.both("", warning, mismatch, "its Destination no longer fits")
	const finding = "the problem is a separate finding, and the write fails as FailedWriteToDestination"
	t.kratixOnly("", warning, "FailedReadKratixStateFile", "the list of its files (mode none) cannot be read", finding)
	t.kratixOnly("", warning, "FailedUnmarshalKratixStateFile", "the list of its files (mode none) is not YAML", finding)
	t.kratixOnly("", warning, "FailedGetAllWorkplacementsForDestination", "the WorkPlacements for a joined file cannot be listed", "all objects are watched, so nothing is listed for a write")
	t.kratixOnly("", warning, "FailedGenerateAggregatedWorkloadYAML", "a joined file cannot be made", finding)
	t.kratixOnly("", warning, "FailedDeleteFilesFromRepository", "its files cannot be removed", "its own event is FailedWriteToDestination, and that of its Work FailedDelete")
	return t.rows
}

func destinationReasons() []Reason {
	t := table{object: kratix.DestinationKind}
	t.both(kratix.ReadyCondition, isTrue, testDocuments, "it can be written to, with initWorkloads")
	t.both(kratix.ReadyCondition, isTrue, destinationReady, "it can be written to, without initWorkloads")
	t.both(kratix.ReadyCondition, isFalse, storeNotFound, "there is no such state store")
	t.both(kratix.ReadyCondition, isFalse, storeNotReady, "its state store cannot be opened or read")
	t.both(kratix.ReadyCondition, isFalse, storeWriteFailed, "its state store cannot be written")
	t.ownOnly(kratix.ReadyCondition, isFalse, RuleName, "the name of a rule: what is wrong with the Destination itself", Manage)
	t.kratixOnly(kratix.ReadyCondition, isFalse, destinationNotReady, "it has not been checked yet", "a Destination has no condition before it is checked")
	t.kratixOnly(kratix.ReadyCondition, isFalse, "DestinationFinalizerUpdateFailed", "its finalizer cannot be set", "a write that the API refuses is the finding KS070")
	t.both("", normal, destinationReady, "it becomes Ready after it was not; Kratix: at each reconciliation")
	t.both("", warning, destinationNotReady, "it becomes not Ready; the message has the condition's reason")
	t.ownOnly(kratix.ConflictFreeCondition, isTrue, noConflict, "no placement is held back on it", Manage, Observe, Schedule)
	t.ownOnly(kratix.ConflictFreeCondition, isFalse, duplicateResources, "placements are held back on it; the message names some", Manage, Observe, Schedule)
	t.ownOnly(kratix.ConflictFreeCondition, isUnknown, RuleName, "the name of a rule: nothing is placed on it, and it had the condition before", Manage, Observe, Schedule)
	t.ownOnly("", warning, duplicateResources, "placements are held back on it", Manage, Observe, Schedule)
	t.ownOnly(kratix.SoleSchedulerCondition, isTrue, noOtherScheduler, "no other program places Works any more", Manage, Schedule)
	t.ownOnly(kratix.SoleSchedulerCondition, isFalse, "OtherScheduler", "another program places Works (KS073)", Manage, Schedule)
	t.ownOnly(kratix.SoleSchedulerCondition, isFalse, "PolicyNotInForce", "Kratix may place Works (KS071)", Schedule)
	t.ownOnly("", warning, "OtherScheduler", "another program places Works", Manage, Schedule)
	t.ownOnly("", warning, "PolicyNotInForce", "Kratix may place Works", Schedule)
	return t.rows
}

func storeReasons(kind string) []Reason {
	t := table{object: kind}
	t.both(kratix.ReadyCondition, isTrue, storeReady, "it can be read and written")
	t.both(kratix.ReadyCondition, isFalse, secretNotFound, "its Secret is not there")
	t.both(kratix.ReadyCondition, isFalse, errorInitialise, "it cannot be opened")
	t.both(kratix.ReadyCondition, isFalse, errorPermissions, "it cannot be written with its credentials")
	t.both(kratix.ReadyCondition, isFalse, storeError, "anything else")
	t.both("", normal, stateStoreReady, "it becomes Ready after it was not")
	t.both("", warning, stateStoreNotReady, "it becomes not Ready; the message has the condition's reason")
	return t.rows
}
