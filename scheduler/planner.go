package scheduler

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/kratix"
)

// Planner gives the same plans as Plan and remembers the last one: an unchanged
// input gives the same plan again at the cost of comparing pointers, and one
// more Work is placed at a cost that does not grow with the number of others.
// Its zero value is ready for use; it is not safe for concurrent use. Inputs
// and plans must not be changed, since they are shared.
type Planner struct {
	last   *round
	result Result
	// changed tells that Place came after the last plan.
	changed bool
	// latest are the Works that Place was given since, as jobs.
	latest map[kratix.Key][]job
	// waiting are the dependencies on demand, by Promise.
	waiting map[string][]*job
}

// Plan is as the function of that name. An object counts as unchanged when it
// is the same in memory.
func (p *Planner) Plan(in Input) Result {
	if p.last != nil && !p.changed && p.last.unasked && unchanged(p.last.in, in) {
		return p.result
	}
	in.Works, in.Destinations, in.Existing = slices.Clone(in.Works), slices.Clone(in.Destinations), slices.Clone(in.Existing)
	f := p.fleetFor(in)
	*p = Planner{last: newRound(in, f)}
	p.result = p.last.plan()
	p.settle(&p.result)
	return p.result
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
func (p *Planner) settle(plan *Result) {
	for _, gone := range plan.Removed {
		p.last.count(gone, -1)
	}
	for _, gone := range plan.Moved {
		p.last.count(gone.WorkPlacement, -1)
	}
}

