package scheduler

import "slices"

// Planner gives the same plans as Plan and remembers the last one: an unchanged
// input gives the same plan again at the cost of comparing pointers, and one
// more Work is placed at a cost that does not grow with the number of others.
// Its zero value is ready for use; it is not safe for concurrent use. Inputs
// and plans must not be changed, since they are shared.
type Planner struct {
	last   *round
	result Result
	// single is what Place needs; nil until it is first called.
	single *single
}

// Plan is as the function of that name. An object counts as unchanged when it
// is the same in memory.
func (p *Planner) Plan(in Input) Result {
	if p.last != nil && p.single == nil && p.last.unaware(in) && unchanged(p.last.in, in) {
		return p.result
	}
	in.Works, in.Destinations, in.Existing = slices.Clone(in.Works), slices.Clone(in.Destinations), slices.Clone(in.Existing)
	f := p.fleetFor(in)
	*p = Planner{last: newRound(in, f)}
	p.result = p.last.plan()
	p.last.settle(&p.result)
	return p.result
}

// unaware tells that Clashes has no part in a plan of in: it has none, or it was
// there when the last plan was made and nothing was asked.
func (r *round) unaware(in Input) bool {
	return r.unasked && (in.Clashes == nil || r.in.Clashes != nil)
}

// rememberedSelectors bounds what a fleet remembers beyond what is in use.
const rememberedSelectors = 10_000

// fleetFor gives the last fleet if the Destinations are the same, with what is
// known of who fits what.
func (p *Planner) fleetFor(in Input) *fleet {
	if p.last != nil && slices.Equal(p.last.in.Destinations, in.Destinations) && len(p.last.fleet.byAsked) < rememberedSelectors {
		return p.last.fleet
	}
	return newFleet(in.Destinations)
}

func unchanged(a, b Input) bool {
	return a.OnMisplaced == b.OnMisplaced && a.Incomplete == b.Incomplete &&
		slices.Equal(a.Works, b.Works) && slices.Equal(a.Existing, b.Existing) && slices.Equal(a.Destinations, b.Destinations) &&
		slices.Equal(a.Rejected, b.Rejected) && slices.Equal(a.Moves, b.Moves)
}

// settle takes what a plan removes as removed.
func (r *round) settle(plan *Result) {
	for _, gone := range plan.Removed {
		r.count(gone, -1)
	}
	for _, gone := range plan.Moved {
		r.count(gone.WorkPlacement, -1)
	}
}
