package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// stayingAtFirst returns the inherited placements in stores whose server has refused a commit with
// moves. Their new copies are written in an earlier commit.
func (r *Reconciler) stayingAtFirst(inherited []*formerPlacement) placementSet {
	staying := placementSet{}
	for _, former := range inherited {
		if r.refusals.of(former.store).separateCommits {
			staying[former.Placement] = true
		}
	}
	return staying
}

// keepInherited adds inherited placements to staying if their new copy would not be written. It
// reports whether it has added any.
func keepInherited(inherited []*formerPlacement, stores []*desired, staying placementSet) bool {
	before := len(staying)
	for _, former := range inherited {
		if former.counts && former.sharesStore() && !isWritten(stores, former) {
			staying[former.Placement] = true
		}
	}
	return len(staying) > before
}

// isWritten reports whether the new copy of an inherited placement is in the store after this
// round.
func isWritten(stores []*desired, former *formerPlacement) bool {
	for _, store := range stores {
		for i, d := range store.destinations {
			if d.Name != former.target() {
				continue
			}
			return slices.ContainsFunc(store.outcomes[i].placements, func(p report.Placement) bool {
				return p.Object != nil && groupOf(p.Object) == groupOf(former.Placement) && (p.State == report.Placed || p.State == report.Unchanged)
			})
		}
	}
	return false
}
