package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

func (p planned) separateEvidence(w *observed) {
	for name, of := range p {
		if !slices.ContainsFunc(of.removed, w.hasEvidence) {
			continue
		}
		of.proven, of.removed = nil, nil
		for _, placement := range p[name].removed {
			if w.hasEvidence(placement) {
				of.proven = append(of.proven, placement)
			} else {
				of.removed = append(of.removed, placement)
			}
		}
		p[name] = of
	}
}

// hasEvidence reports whether the Kubernetes API shows that the Work or group of a placement
// is gone.
func (o *observed) hasEvidence(p *kratix.WorkPlacement) bool {
	if _, deleted := slices.BinarySearchFunc(o.DeletedPlacements, kratix.KeyOf(p), kratix.Key.Compare); deleted {
		return true
	}
	if _, deleted := slices.BinarySearchFunc(o.Deleted, p.Work(), kratix.Key.Compare); deleted {
		return true
	}
	if o.Assigned {
		return false // the Work may be in the input for another Destination
	}
	_, present := slices.BinarySearchFunc(o.Works, p.Work(), func(work *kratix.Work, key kratix.Key) int { return kratix.KeyOf(work).Compare(key) })
	return o.FromAPI && present
}
