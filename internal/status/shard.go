package status

import (
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// Selects reports whether this shard writes a Work with the given labels, or to a state store with
// these labels. A nil Selects selects everything.
type Selects func(labels map[string]string) bool

// isSelected reports whether this process writes an object. A nil object has no labels.
func (p *planner) isSelected(object kratix.Object) bool {
	switch {
	case p.selects == nil:
		return true
	case object == nil:
		return p.selects(nil)
	}
	return p.selects(object.GetLabels())
}

// writesTo reports whether this process writes to the state store of a Destination, or in mode
// Promote to its live state store.
func (p *planner) writesTo(destination string) bool {
	if p.selects == nil {
		return true
	}
	selected, known := p.selected[destination]
	if !known {
		var store kratix.Object
		if ref, there := p.storeRef(destination); there {
			store = p.storeOf(ref)
		}
		selected = p.isSelected(store)
		p.selected[destination] = selected
	}
	return selected
}

// storeRef returns the state store of a Destination, or in mode Promote its live state store, and
// whether there is one.
func (p *planner) storeRef(destination string) (kratix.StateStoreReference, bool) {
	if p.mode == Promote {
		ref, there := p.now.Live[destination]
		return ref, there
	}
	d, there := p.destinationByName[destination]
	if !there || d.Spec.StateStoreRef == nil {
		return kratix.StateStoreReference{}, false
	}
	return *d.Spec.StateStoreRef, true
}

func (p *planner) storeOf(ref kratix.StateStoreReference) kratix.Object {
	if store := p.now.Find(ref); store != nil {
		return store
	}
	return nil
}

// decide adds the step that records the chosen Destinations on a Work. It does nothing if the
// decisions have changed since the round read them.
func (p *planner) decide(change *Change, work *kratix.Work) {
	more := map[string]kratix.Decision{}
	for _, placement := range p.byWork[kratix.KeyOf(work).String()] {
		was := placement.Chosen
		if was == nil || was.UID != work.UID || !p.writesTo(placement.Destination) ||
			was.Annotations[kratix.DecisionsAnnotation] != work.Annotations[kratix.DecisionsAnnotation] {
			continue
		}
		more[placement.Object.Spec.ID] = kratix.Decision{Destination: placement.Destination, MovedFrom: placement.Object.Labels[kratix.MovedFromLabel]}
	}
	if len(more) > 0 && work.DeletionTimestamp.IsZero() {
		change.step(Patch, map[string]any{"metadata": map[string]any{"annotations": map[string]any{kratix.DecisionsAnnotation: work.Decide(more)}}})
	}
}

func (p *planner) failsElsewhere(placement report.Placement) bool {
	if p.writesTo(placement.Destination) || placement.Object == nil {
		return false
	}
	have, there := p.workPlacementByKey[kratix.KeyOf(placement.Object)]
	return there && meta.IsStatusConditionFalse(have.Status.Conditions, kratix.WriteSucceededCondition)
}
