package status

import (
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// isMine reports whether something is this process's to write.
func (p *planner) isMine(what string) bool { return p.mine == nil || p.mine(what) }

// isMineOn reports whether a Destination, by its name, and what is on it, is this
// process's to write.
func (p *planner) isMineOn(destination string) bool {
	if p.mine == nil {
		return true
	}
	mine, known := p.mineBy[destination]
	if !known {
		what := kratix.DestinationKind + " " + destination
		if d, there := p.destinationByName[destination]; there && d.Spec.StateStoreRef != nil {
			what = kratix.LocationOf(*d.Spec.StateStoreRef, p.storeOf(*d.Spec.StateStoreRef)).Place
		}
		mine = p.mine(what)
		p.mineBy[destination] = mine
	}
	return mine
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
// is here: so whatever replicas choose at one time, one choice counts.
func (p *planner) decide(change *Change, work *kratix.Work) {
	more := map[string]kratix.Decision{}
	for _, placement := range p.byWork[kratix.KeyOf(work).String()] {
		was := placement.Chosen
		if was == nil || was.UID != work.UID || !p.isMineOn(placement.Destination) ||
			was.Annotations[kratix.DecisionsAnnotation] != work.Annotations[kratix.DecisionsAnnotation] {
			continue
		}
		more[placement.Object.Spec.ID] = kratix.Decision{Destination: placement.Destination, MovedFrom: placement.Object.Labels[kratix.MovedFromLabel]}
	}
	if len(more) > 0 && work.DeletionTimestamp.IsZero() {
		change.step(Patch, map[string]any{"metadata": map[string]any{"annotations": map[string]any{kratix.DecisionsAnnotation: work.Decide(more)}}})
	}
}

// failsElsewhere reports whether another process could not write a placement.
func (p *planner) failsElsewhere(placement report.Placement) bool {
	if p.isMineOn(placement.Destination) || placement.Object == nil {
		return false
	}
	have, there := p.workPlacementByKey[kratix.KeyOf(placement.Object)]
	return there && meta.IsStatusConditionFalse(have.Status.Conditions, kratix.WriteSucceededCondition)
}
