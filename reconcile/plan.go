package reconcile

import (
	"maps"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

// Planner decides which placements go to which Destination. It is called several times in a
// round.
type Planner interface {
	Plan(in scheduler.Input) scheduler.Result
}

// destinationPlan is the part of the plan for one Destination.
type destinationPlan struct {
	placements    []scheduler.Placement
	kept, removed []*kratix.WorkPlacement
	// proven are placements to be removed whose loss has evidence; the deletion guard judges
	// only the placements in removed.
	proven []*kratix.WorkPlacement
	guard  guard
	// awaiting are placements whose successors are not recorded yet.
	awaiting []*kratix.WorkPlacement
	// moved maps placements to the Destinations that their groups have moved to.
	moved map[*kratix.WorkPlacement]string
}

// same reports whether two parts have the same placements in the same roles.
func (p destinationPlan) same(other destinationPlan) bool {
	return slices.Equal(p.placements, other.placements) && slices.Equal(p.kept, other.kept) && slices.Equal(p.awaiting, other.awaiting) &&
		slices.Equal(p.removed, other.removed) && slices.Equal(p.proven, other.proven) && maps.Equal(p.moved, other.moved) && p.guard.sameEffect(other.guard)
}

// planned is the plan, by Destination.
type planned map[string]destinationPlan

// byDestination divides a plan by Destination; decided are placements that are not recorded
// yet.
func byDestination(plan *scheduler.Result, decided []*kratix.WorkPlacement) planned {
	parts := planned{}
	for _, on := range plan.Destinations {
		parts[on.Destination] = destinationPlan{placements: on.Placements}
	}
	for _, kept := range slices.Concat(plan.KeptInvalid, plan.KeptMissing) {
		parts.change(kept, func(p *destinationPlan) { p.kept = append(p.kept, kept) })
	}
	for _, removed := range plan.Removed {
		parts.change(removed, func(p *destinationPlan) { p.removed = append(p.removed, removed) })
	}
	awaited := successors(decided)
	for _, moved := range plan.Moved {
		if awaited[successor{groupOf(moved.WorkPlacement), moved.To}] {
			parts.change(moved.WorkPlacement, func(p *destinationPlan) { p.awaiting = append(p.awaiting, moved.WorkPlacement) })
			continue
		}
		parts.change(moved.WorkPlacement, func(p *destinationPlan) { p.move(moved.WorkPlacement, moved.To) })
	}
	return parts
}

// move adds a placement whose group has moved to another Destination.
func (p *destinationPlan) move(placement *kratix.WorkPlacement, to string) {
	if p.moved == nil {
		p.moved = map[*kratix.WorkPlacement]string{}
	}
	p.moved[placement] = to
}

// change changes the part of the Destination that a placement is on.
func (p planned) change(placement *kratix.WorkPlacement, how func(*destinationPlan)) {
	p.changeOn(placement.Spec.TargetDestinationName, how)
}

// changeOn changes the part of a Destination.
func (p planned) changeOn(destination string, how func(*destinationPlan)) {
	of := p[destination]
	how(&of)
	p[destination] = of
}

// successor names a group of a Work on a Destination.
type successor struct {
	placedGroup
	destination string
}

// successors returns the groups that are decided to be on a Destination and not recorded
// there yet: until they are, their old placements stay.
func successors(decided []*kratix.WorkPlacement) map[successor]bool {
	awaited := make(map[successor]bool, len(decided))
	for _, p := range decided {
		awaited[successor{groupOf(p), p.Spec.TargetDestinationName}] = true
	}
	return awaited
}

// schedulerInput returns the input of the scheduler.
func schedulerInput(o *observed) scheduler.Input {
	in := scheduler.Input{Works: o.Works, Rejected: o.Rejected, RejectedPlacements: o.RejectedPlacements, Incomplete: o.Incomplete, Unseen: o.Unseen, Destinations: slices.Clone(o.leftOut), Existing: slices.Concat(o.unread, o.decided), Copies: o.copies}
	for _, store := range o.stores {
		known := scheduler.StoreRead
		if store.err != nil {
			known = scheduler.StoreUnread
		}
		for _, d := range store.destinations {
			in.Destinations = append(in.Destinations, scheduler.Destination{Destination: d.Destination, Store: known})
			if d.isRemovedWithFiles() {
				continue
			}
			for _, record := range d.records {
				in.Existing = append(in.Existing, record.Placement)
			}
		}
	}
	return in
}

// apply sets the scheduling options of the policy in the input of a plan.
func (p Policy) apply(in scheduler.Input) scheduler.Input {
	in.OnMisplaced, in.Moves = p.OnMisplaced, p.Moves
	return in
}
