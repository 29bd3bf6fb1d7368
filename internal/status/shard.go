package status

import (
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// Selects reports whether this process, one of several shards, writes an object with some
// labels: a Work, or a state store with all Destinations on it and their WorkPlacements. nil
// selects everything.
type Selects func(labels map[string]string) bool

// isSelected reports whether this process writes an object. A missing object has no labels.
func (p *planner) isSelected(object kratix.Object) bool {
	switch {
	case p.selects == nil:
		return true
	case object == nil:
		return p.selects(nil)
	}
	return p.selects(object.GetLabels())
}

// writesTo reports whether this process writes the Destination with a name and its
// WorkPlacements. It selects them by the labels of the Destination's state store, in mode Promote
// of the live one.
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

// storeRef returns the state store of a Destination that this program writes or watches, if
// there is one.
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

// storeOf returns the object that describes a store; nil if there is none.
func (p *planner) storeOf(ref kratix.StateStoreReference) kratix.Object {
	return kratix.FindStateStore(ref, p.now.GitStateStores, p.now.BucketStateStores)
}

// decide records on a Work the Destinations that this process has chosen for its groups, except
// Destinations of other shards. It does so only if the decisions on the Work are still those of
// the round, and the API server accepts the patch only for the same version of the Work. So if
// several shards decide at the same time, one decision wins.
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

// failsElsewhere reports whether another shard could not write a placement.
func (p *planner) failsElsewhere(placement report.Placement) bool {
	if p.writesTo(placement.Destination) || placement.Object == nil {
		return false
	}
	have, there := p.workPlacementByKey[kratix.KeyOf(placement.Object)]
	return there && meta.IsStatusConditionFalse(have.Status.Conditions, kratix.WriteSucceededCondition)
}
