package scheduler

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// Planner returns the same plans as Plan, and reuses the last plan for Works that a change does not
// affect. The zero value is ready for use. A Planner is not safe for concurrent use, and callers
// must not modify its inputs and plans.
type Planner struct {
	// last is the input of the last plan, and nil before the first plan.
	last   *Input
	fleet  *fleet
	chosen keys
	result Result
	known  *directory
}

// Plan returns the same result as the function Plan. Objects with the same pointer count as
// unchanged.
func (p *Planner) Plan(in Input) Result {
	if p.last == nil || p.affectsAll(in) {
		return p.planAll(in)
	}
	delta, affected := p.affected(in)
	if len(affected) > 0 {
		if len(affected)*manyAffected > len(in.Works) {
			return p.planAll(in)
		}
		if p.known == nil {
			p.known = newDirectory(*p.last, p.result)
		}
		p.known.update(delta, affected)
	}
	switch {
	case len(affected)*manyAffected > len(in.Works):
		return p.planAll(in)
	case len(affected) > 0:
		p.planSome(in, affected)
	}
	p.last = &in
	return p.result
}

// manyAffected limits incremental plans: if more than a quarter of the Works are affected, all
// Works are planned.
const manyAffected = 4

// affectsAll reports whether all Works must be planned again.
func (p *Planner) affectsAll(in Input) bool {
	return p.fleet.limited || len(in.Moves)+len(p.last.Moves) > 0 ||
		in.OnMisplaced != p.last.OnMisplaced || in.Incomplete != p.last.Incomplete || in.Unseen != p.last.Unseen ||
		!slices.Equal(in.RejectedPlacements, p.last.RejectedPlacements) ||
		!slices.Equal(in.Destinations, p.last.Destinations) || !slices.Equal(in.Copies, p.last.Copies)
}

func (p *Planner) planAll(in Input) Result {
	before := newPlacements(p.result)
	*p = Planner{last: &in, fleet: p.fleetFor(in)}
	round := newRound(in, p.fleet)
	round.before = before
	p.result, p.chosen = round.plan(), round.chosen
	return p.result
}

// planSome plans the affected Works and replaces their results in the last plan.
func (p *Planner) planSome(in Input, affected keys) {
	round := newRound(p.known.input(in, affected), p.fleet)
	part := round.plan()
	p.chosen.remove(affected)
	p.chosen.add(round.chosen)
	p.result = p.result.with(part, affected, p.known.on(affected))
	p.known.record(affected, part)
}

// maxCachedSelectors is the number of cached selectors from which the cache is dropped.
const maxCachedSelectors = 10_000

func (p *Planner) fleetFor(in Input) *fleet {
	if p.last != nil && slices.Equal(p.last.Destinations, in.Destinations) && len(p.fleet.byAsked) < maxCachedSelectors {
		return p.fleet
	}
	return newFleet(in.Destinations)
}

// newPlacement identifies a new placement that a plan may have in common with the last one.
type newPlacement struct {
	work               *kratix.Work
	group, destination string
}

// newPlacements returns the new placements of a plan, except those that begin a move.
func newPlacements(plan Result) map[newPlacement]*kratix.WorkPlacement {
	all := map[newPlacement]*kratix.WorkPlacement{}
	for _, on := range plan.Destinations {
		for i := range on.Placements {
			if p := &on.Placements[i]; p.New && p.Labels[kratix.MovedFromLabel] == "" {
				all[newPlacement{p.Work, p.Spec.ID, on.Destination}] = p.WorkPlacement
			}
		}
	}
	return all
}
