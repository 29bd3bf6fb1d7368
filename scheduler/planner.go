package scheduler

import "slices"

// Planner makes the same plans as Plan and remembers the last one: what a change
// of the input cannot have an influence on is taken from there. An unchanged
// input costs a comparison of pointers, and so does what is unchanged beside one
// more Work. Its zero value is ready for use; it is not safe for concurrent use.
// Inputs and plans must not be changed, since they are shared.
type Planner struct {
	// last is the last input, nil before the first.
	last  *Input
	fleet *fleet
	// chosen are the Works for which a Destination was chosen, of several.
	chosen keys
	result Result
	// known is made when it is first needed.
	known *directory
}

// Plan is as the function of that name. An object counts as unchanged when it
// is the same in memory.
func (p *Planner) Plan(in Input) Result {
	if p.last == nil || p.mattersToAll(in) {
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

// manyAffected: when one Work in so many is affected, all are planned.
const manyAffected = 4

// mattersToAll reports whether any Work may feel a change, or settings tie
// Works together which have nothing else in common.
func (p *Planner) mattersToAll(in Input) bool {
	return p.fleet.limited || len(in.Moves)+len(p.last.Moves) > 0 ||
		in.OnMisplaced != p.last.OnMisplaced || in.Incomplete != p.last.Incomplete || in.Unseen != p.last.Unseen ||
		!slices.Equal(in.RejectedPlacements, p.last.RejectedPlacements) ||
		!slices.Equal(in.Destinations, p.last.Destinations) || !slices.Equal(in.Copies, p.last.Copies)
}

// planAll plans everything.
func (p *Planner) planAll(in Input) Result {
	*p = Planner{last: &in, fleet: p.fleetFor(in)}
	round := newRound(in, p.fleet)
	p.result, p.chosen = round.plan(), round.chosen
	return p.result
}

// planSome plans the Works that are affected, and all that has to do with them,
// as if there were no others.
func (p *Planner) planSome(in Input, affected keys) {
	round := newRound(p.known.input(in, affected), p.fleet)
	part := round.plan()
	p.chosen.remove(affected)
	p.chosen.add(round.chosen)
	p.result = p.result.with(part, affected, p.known.on(affected))
	p.known.record(affected, part)
}

// rememberedSelectors bounds what a fleet remembers beyond what is in use.
const rememberedSelectors = 10_000

// fleetFor returns the last fleet if the Destinations are the same, with what is
// known of who fits what.
func (p *Planner) fleetFor(in Input) *fleet {
	if p.last != nil && slices.Equal(p.last.Destinations, in.Destinations) && len(p.fleet.byAsked) < rememberedSelectors {
		return p.fleet
	}
	return newFleet(in.Destinations)
}
