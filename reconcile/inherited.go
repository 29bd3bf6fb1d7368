package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

// placementSet is a set of placements, compared by pointer.
type placementSet map[*kratix.WorkPlacement]bool

func setOf(lists ...[]*kratix.WorkPlacement) placementSet {
	set := placementSet{}
	for _, list := range lists {
		for _, p := range list {
			set[p] = true
		}
	}
	return set
}

// routeInherited adds to the plan what happens to each placement in the directory of another
// Destination. A placement is removed if its new copy is recorded, or is written in the same
// commit; the placements in staying stay.
func routeInherited(o *observed, parts planned, plan *scheduler.Result, staying placementSet) {
	found := o.inherited()
	if len(found) == 0 {
		return
	}
	for _, former := range found {
		former.store.leaving = false
	}
	removed, kept := setOf(plan.Removed), setOf(plan.KeptInvalid, plan.KeptMissing)
	for _, former := range found {
		p := former.Placement
		parts.changeOn(former.at.Name, func(part *destinationPlan) {
			switch {
			case removed[p]:
				part.removed = append(part.removed, p)
			case kept[p]:
				part.kept = append(part.kept, p)
			case former.counts && (staying[p] || !o.sharesStore(former)):
				part.awaiting = append(part.awaiting, p)
			default:
				former.store.leaving = former.store.leaving || former.counts
				part.move(p, former.target())
			}
		})
	}
}

// inherited returns the placements in the directories of other Destinations.
func (o *observed) inherited() []*formerPlacement {
	var found []*formerPlacement
	for _, f := range o.former {
		if f.at != nil && slices.ContainsFunc(f.store.destinations, func(d *destinationView) bool { return d == f.at }) {
			found = append(found, f)
		}
	}
	return found
}

// sharesStore reports whether the Destination of a placement is written in the same commit as
// the directory that the placement is in.
func (o *observed) sharesStore(former *formerPlacement) bool {
	return slices.ContainsFunc(former.store.destinations, func(d *destinationView) bool { return d.Name == former.target() })
}
