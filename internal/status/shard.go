package status

import (
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// Selects reports whether an object with some labels is this process's to write, as one
// of several shards: a state store, with all Destinations on it and their WorkPlacements,
// and a Work. nil selects everything.
type Selects func(labels map[string]string) bool

// isSelected reports whether an object is this process's to write. What is not there has
// no labels.
func (p *planner) isSelected(object kratix.Object) bool {
	switch {
	case p.selects == nil:
		return true
	case object == nil:
		return p.selects(nil)
	}
	return p.selects(object.GetLabels())
}

// writesTo reports whether a Destination, by its name, and what is on it, is this
// process's to write: it goes with the state store, in mode Promote with the live one.
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

// storeRef returns the state store of a Destination that this program writes to or
// watches, if there is one.
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

// storeOf finds what describes a store; nil when nothing does.
func (p *planner) storeOf(ref kratix.StateStoreReference) kratix.Object {
	for _, store := range p.now.GitStateStores {
		if ref.Kind == kratix.GitStateStoreKind && store.Name == ref.Name {
			return store
		}
	}
	for _, store := range p.now.BucketStateStores {
		if ref.Kind == kratix.BucketStateStoreKind && store.Name == ref.Name {
			return store
		}
	}
	return nil
}

// decide has a Work say where those of its groups go that this process has chosen
// a place for, and is to write. It does so only if the Work still says what it
// said when that was chosen, and the API server takes it only for the Work as it
// is here: so whatever shards choose at one time, one choice counts.
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
