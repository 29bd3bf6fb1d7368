package reconcile

import (
	"context"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
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
func (w *world) routeGuests(parts planned, plan *scheduler.Result, staying placementSet) {
	guests := w.guests()
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
			case guest.counts && (staying[p] || !w.sharesStore(guest)):
				part.awaiting = append(part.awaiting, p)
			default:
				guest.store.leaving = guest.store.leaving || guest.counts
				part.move(p, guest.target())
			}
		})
	}
}

// guests returns the placements in the directory of another Destination.
func (w *world) guests() []*formerPlacement {
	var guests []*formerPlacement
	for _, f := range w.former {
		if f.at != nil && slices.ContainsFunc(f.store.destinations, func(d *destinationView) bool { return d == f.at }) {
			guests = append(guests, f)
		}
	}
	return guests
}

// sharesStore reports whether the Destination of a placement is written in one
// commit with the directory where the placement is.
func (w *world) sharesStore(guest *formerPlacement) bool {
	return slices.ContainsFunc(guest.store.destinations, func(d *destinationView) bool { return d.Name == guest.target() })
}

// desireAll finds out what all stores should hold. A guest leaves its directory only
// if its new copy is written with the same commit: where that is held back, the
// guest stays, and the stores are looked at once more. Each time more guests stay,
// so that it ends.
func (r *Reconciler) desireAll(ctx context.Context, world *world, plan *scheduler.Result) (*planning, []*desired) {
	staying := placementSet{}
	for _, guest := range world.guests() {
		if r.refusals.of(guest.store).apart {
			staying[guest.Placement] = true
		}
	}
	for {
		parts := byDestination(plan, world.decided)
		world.routeGuests(parts, plan, staying)
		world.guard(parts)
		whole := &planning{parts: parts, hidden: world.Incomplete || len(world.Rejected)+len(world.RejectedPlacements) > 0}
		stores := make([]*desired, 0, len(world.stores))
		for _, store := range world.stores {
			stores = append(stores, r.desire(ctx, store, whole, r.refusals.of(store).known()))
		}
		if !world.keepGuests(stores, staying) {
			return whole, stores
		}
	}
}

// keepGuests adds the guests to staying whose new copy would not be written, and
// reports whether there are more than before.
func (w *world) keepGuests(stores []*desired, staying placementSet) bool {
	before := len(staying)
	for _, guest := range w.guests() {
		if guest.counts && w.sharesStore(guest) && !isWritten(stores, guest) {
			staying[guest.Placement] = true
		}
	}
	return len(staying) > before
}

// isWritten reports whether the new copy of a guest is written in this round.
func isWritten(stores []*desired, guest *formerPlacement) bool {
	for _, store := range stores {
		for i, d := range store.destinations {
			if d.Name != guest.target() {
				continue
			}
			return slices.ContainsFunc(store.outcomes[i].told, func(p report.Placement) bool {
				return p.Object != nil && groupOf(p.Object) == groupOf(guest.Placement) && (p.State == report.Placed || p.State == report.Unchanged)
			})
		}
	}
	return false
}
