package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

// placementSet is a set of placements, as objects.
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

// routeGuests adds to the parts of the plan what becomes of the placements in the
// directory of another Destination than their own. One whose new copy is recorded
// leaves, and so does one whose new copy is written in the same commit; those in
// staying stay.
func routeGuests(o *observed, parts planned, plan *scheduler.Result, staying placementSet) {
	guests := o.guests()
	if len(guests) == 0 {
		return
	}
	for _, guest := range guests {
		guest.store.leaving = false
	}
	removed, kept := setOf(plan.Removed), setOf(plan.Kept, plan.Held)
	for _, guest := range guests {
		p := guest.Placement
		parts.changeOn(guest.at.Name, func(part *part) {
			switch {
			case removed[p]:
				part.removed = append(part.removed, p)
			case kept[p]:
				part.kept = append(part.kept, p)
			case guest.counts && (staying[p] || !o.sharesStore(guest)):
				part.awaiting = append(part.awaiting, p)
			default:
				guest.store.leaving = guest.store.leaving || guest.counts
				part.move(p, guest.target())
			}
		})
	}
}

// guests returns the placements in the directory of another Destination.
func (o *observed) guests() []*formerPlacement {
	var guests []*formerPlacement
	for _, f := range o.former {
		if f.at != nil && slices.ContainsFunc(f.store.destinations, func(d *destinationView) bool { return d == f.at }) {
			guests = append(guests, f)
		}
	}
	return guests
}

// sharesStore reports whether the Destination of a placement is written in one
// commit with the directory where the placement is.
func (o *observed) sharesStore(guest *formerPlacement) bool {
	return slices.ContainsFunc(guest.store.destinations, func(d *destinationView) bool { return d.Name == guest.target() })
}
