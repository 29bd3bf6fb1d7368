package status

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// The reasons of the condition Ready of a Destination and of a state store, with the names that
// Kratix uses.
const (
	testDocuments    = "TestDocumentsWritten"
	destinationReady = "DestinationReady"
	storeNotFound    = "StateStoreNotFound"
	storeNotReady    = "StateStoreNotReady"
	storeWriteFailed = "StateStoreWriteFailed"
	storeReady       = "StateStoreReady"
	storeError       = "StateStoreError"
	secretNotFound   = "SecretNotFound"
	errorInitialise  = "ErrorInitialisingWriter"
	errorPermissions = "ErrorValidatingPermissions"
)

// Further reasons of Events about Destinations and state stores, with the names that Kratix uses.
const (
	destinationNotReady = "DestinationNotReady"
	stateStoreReady     = "Ready"
	stateStoreNotReady  = "NotReady"
)

func (p *planner) destinations() []Change {
	var changes []Change
	for _, d := range sorted(p.now.Destinations) {
		if p.now.Unreadable[kratix.Describe(d)] {
			continue // the spec of the Destination is not known
		}
		change := Change{Object: d}
		if p.writesTo(d.Name) {
			p.ownDestination(&change, d)
		} else {
			p.passStates(&change, d)
		}
		if !change.isEmpty() {
			changes = append(changes, change)
		}
	}
	return changes
}

// ownDestination adds the changes of a Destination that this process writes.
func (p *planner) ownDestination(change *Change, d *kratix.Destination) {
	switch p.mode {
	case Manage:
		p.finalize(change, d)
	case Promote:
		p.finalizeLive(change, d)
	case Observe, Schedule:
	}
	if !d.IsDeleted() {
		p.destination(change, d)
	}
	p.setDestinationAgent(change, d)
}

// finalize adds or removes the finalizer of a Destination whose files are deleted with it.
func (p *planner) finalize(change *Change, d *kratix.Destination) {
	has := slices.Contains(d.Finalizers, kratix.DestinationFinalizer)
	switch {
	case !has && d.CleansUp() && !d.IsDeleted() && p.covered[d.Name]:
		change.step(Patch, finalizers(append(slices.Clone(d.Finalizers), kratix.DestinationFinalizer)))
	case has && (!d.CleansUp() || d.IsDeleted() && p.isEmptied(d)):
		change.step(Patch, finalizers(without(d.Finalizers, kratix.DestinationFinalizer)))
	}
}

// isEmptied reports whether a deleted Destination has nothing left in its store.
func (p *planner) isEmptied(d *kratix.Destination) bool {
	return p.emptied[d.Name] && !slices.ContainsFunc(p.byDestination[d.Name], func(placement report.Placement) bool {
		return placement.State != report.Removed
	})
}

func (p *planner) destination(change *Change, d *kratix.Destination) {
	var want []metav1.Condition
	if p.mode == Manage {
		if ready, known := p.readiness(d); known {
			want = append(want, ready)
		}
	}
	held, hasSummary := p.quarantinedOn(d), meta.FindStatusCondition(d.Status.Conditions, kratix.ConflictFreeCondition) != nil
	if p.covered[d.Name] && (p.mode == Manage || len(held) > 0 || hasSummary) {
		want = append(want, summary(held))
	} else if f, isOut := p.leftOut(d); isOut && !p.covered[d.Name] && hasSummary {
		want = append(want, unknown(f.Rule.Name, f.Message+". "+f.Advice()))
	}
	want = append(want, p.soleScheduler(d.Status.Conditions)...)
	conditions, changed := p.put(d.Status.Conditions, 0, want...)
	if len(changed) == 0 {
		return
	}
	change.step(PatchStatus, statusOf(conditions))
	for _, condition := range changed {
		if hasChanged(d.Status.Conditions, condition) {
			change.destinationEvent(d.Status.Conditions, condition)
		}
	}
}

// leftOut returns a finding that keeps placements off a Destination, and whether there is one.
func (p *planner) leftOut(d *kratix.Destination) (finding.Finding, bool) {
	others := p.others[kratix.Describe(d)]
	at := slices.IndexFunc(others, func(f finding.Finding) bool {
		return f.Rule == finding.NotPromoted() || f.Rule.Severity == finding.Error
	})
	if at < 0 {
		return finding.Finding{}, false
	}
	return others[at], true
}

func (c *Change) destinationEvent(have []metav1.Condition, now metav1.Condition) {
	switch isReady := now.Type == kratix.ReadyCondition; {
	case isReady && now.Status == metav1.ConditionTrue:
		if !meta.IsStatusConditionTrue(have, kratix.ReadyCondition) { // no Event if the Destination was ready before
			c.event(normal, destinationReady, now.Message)
		}
	case isReady:
		c.event(warning, destinationNotReady, now.Reason+": "+now.Message)
	case now.Status == metav1.ConditionFalse:
		c.event(warning, now.Reason, now.Message)
	}
}

// readiness returns the condition Ready of a Destination. known is false if the report does not
// show it.
func (p *planner) readiness(d *kratix.Destination) (ready metav1.Condition, known bool) {
	if p.covered[d.Name] {
		if d.WantsCanaries() {
			return yes(kratix.ReadyCondition, testDocuments, "its files are in the state store"), true
		}
		return yes(kratix.ReadyCondition, destinationReady, "its files are in the state store"), true
	}
	object := kratix.Describe(d)
	for _, f := range p.others[object] {
		switch {
		case f.Rule == finding.StoreMissing():
			return no(kratix.ReadyCondition, storeNotFound, f.Message), true
		case f.Rule.Severity == finding.Error:
			return no(kratix.ReadyCondition, f.Rule.Name, f.Message), true
		}
	}
	if d.Spec.StateStoreRef == nil {
		return ready, false
	}
	if f, failed := p.about(d.Spec.StateStoreRef.String(), finding.StoreFailed()); failed {
		return no(kratix.ReadyCondition, destinationReason(f.Cause), f.Message), true
	}
	return ready, false
}

// destinationReason returns the reason of the condition Ready of a Destination whose store has
// failed.
func destinationReason(cause finding.Cause) string {
	switch cause {
	case finding.SecretMissing, finding.Unopened, finding.Unreadable, finding.Refused:
		return storeNotReady
	}
	return storeWriteFailed
}

// storeReason returns the reason that Kratix would set in the condition Ready of a failed state
// store.
func storeReason(kind string, cause finding.Cause) string {
	switch {
	case cause == finding.SecretMissing:
		return secretNotFound
	case cause == finding.Refused, cause == finding.Unreadable && kind != kratix.GitStateStoreKind:
		return errorPermissions
	case cause == finding.Unopened, cause == finding.Unreadable:
		return errorInitialise
	}
	return storeError
}

func (p *planner) quarantinedOn(d *kratix.Destination) []string {
	var held []string
	for _, placement := range p.byDestination[d.Name] {
		if placement.State == report.HeldBack && len(p.conflicts[kratix.WorkKind+" "+placement.Work]) > 0 {
			held = append(held, kratix.KeyOf(placement.Object).String())
		}
	}
	slices.Sort(held)
	return held
}

func summary(held []string) metav1.Condition {
	const named = 5
	if len(held) == 0 {
		return yes(kratix.ConflictFreeCondition, noConflict, "nothing is held back")
	}
	names := strings.Join(held[:min(named, len(held))], ", ")
	if len(held) > named {
		names += ", ..."
	}
	return no(kratix.ConflictFreeCondition, duplicateResources, fmt.Sprintf("%d placements are held back: %s", len(held), names))
}

func (p *planner) stores() []Change {
	var changes []Change
	if p.mode != Manage {
		return nil
	}
	for _, store := range sorted(p.now.StateStores.All()) {
		p.store(&changes, store)
	}
	return changes
}

// stateOf returns the first failure of a state store, and whether it was written. An OCIStateStore
// fails if one of its repositories fails.
func (p *planner) stateOf(object kratix.StateStore) (f finding.Finding, failed, written bool) {
	names := []string{kratix.Describe(object)}
	for _, d := range sorted(p.now.Destinations) {
		if ref := d.Spec.StateStoreRef; ref != nil && ref.Dir != "" && ref.Object() == kratix.ReferenceTo(object) {
			names = append(names, ref.String())
		}
	}
	for _, name := range names {
		if f, failed = p.about(name, finding.StoreFailed()); failed {
			return f, true, false
		}
		written = written || p.written[name]
	}
	return f, false, written
}

// store sets the condition of a state store, unless its state is not known.
func (p *planner) store(changes *[]Change, object kratix.StateStore) {
	if !p.isSelected(object) {
		return
	}
	have, generation := object.Reported(), object.GetGeneration()
	ready, short := yes(kratix.ReadyCondition, storeReady, "it can be read and written"), stateStoreReady
	f, failed, written := p.stateOf(object)
	if failed {
		ready, short = no(kratix.ReadyCondition, storeReason(object.KindName(), f.Cause), strings.TrimSpace(f.Message+" "+f.Advice())), stateStoreNotReady
	} else if !written {
		return
	}
	conditions, changed := p.put(have.Conditions, 0, ready)
	if len(changed) == 0 && have.Status == short && have.ObservedGeneration == generation {
		return
	}
	change := Change{Object: object}
	change.step(PatchStatus, map[string]any{"status": map[string]any{
		"conditions": conditions, "status": short, "observedGeneration": generation,
	}})
	if hasChanged(have.Conditions, ready) {
		kind, message := normal, ready.Message
		if short == stateStoreNotReady {
			kind, message = warning, ready.Reason+": "+ready.Message
		}
		change.event(kind, short, message)
	}
	*changes = append(*changes, change)
}
