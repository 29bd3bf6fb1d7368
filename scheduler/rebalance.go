package scheduler

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// Rebalance returns moves of requests that even out the load of the Destinations in proportion to
// their weights, and moves off cordoned Destinations. Groups of a request on the same Destination
// stay together. Placements that are misplaced or being moved are left out.
func Rebalance(in Input) []Relocation {
	r := newRound(in, newFleet(in.Destinations))
	b := &balancer{round: r}
	if r.mayMissPlacements() {
		return nil // the loads would be incomplete
	}
	b.collect()
	for i := range b.units {
		if r.fleet.members[b.units[i].at].closed == cordonedReason {
			b.leave(&b.units[i])
		}
	}
	for b.levelOnce() {
	}
	return b.moves()
}

type balancer struct {
	round  *round
	units  []unit
	before []int
}

// unit is the groups that one request has on one Destination. They move together.
type unit struct {
	jobs []*job
	// at is the Destination of the unit after the moves so far. from is its recorded Destination.
	at, from int
	fit      []int
	seed     uint64
	reason   string
}

func (b *balancer) collect() {
	r := b.round
	result := r.plan()
	r.subtractRemoved(&result)
	b.before = slices.Clone(r.load)
	type place struct {
		request requestKey
		at      int
	}
	known := map[place]int{}
	for i := range r.jobs {
		j := &r.jobs[i]
		if !j.movable(r) {
			continue
		}
		request, at := requestOf(j.work), r.fleet.byName[j.old[0].Spec.TargetDestinationName]
		n, ok := known[place{request, at}]
		if !ok {
			n = len(b.units)
			known[place{request, at}] = n
			b.units = append(b.units, unit{at: at, from: at, fit: j.fit.usable, seed: request.seed()})
		}
		u := &b.units[n]
		u.jobs = append(u.jobs, j)
		u.fit = slices.DeleteFunc(slices.Clone(u.fit), func(at int) bool { return !slices.Contains(j.fit.usable, at) })
	}
}

// movable reports whether a job has exactly one placement, on a Destination that fits, and is not
// being moved.
func (j *job) movable(r *round) bool {
	if j.work.IsDependency() || len(j.old) != 1 || j.moving || j.old[0].Labels[kratix.MovedFromLabel] != "" {
		return false
	}
	_, fits := r.fleet.suits(j.fit, j.old[0].Spec.TargetDestinationName)
	return fits
}

// leave moves a unit off a cordoned Destination, if another Destination takes it.
func (b *balancer) leave(u *unit) {
	if to := b.lightest(u); to != none {
		b.move(u, to, b.round.fleet.members[u.from].Name+" is "+b.round.fleet.members[u.from].closed)
	}
}

// levelOnce moves units off the busiest Destinations, and reports whether it moved any. It must be
// called until it returns false, because a move may make another move possible.
func (b *balancer) levelOnce() bool {
	waiting, moved := b.byMember(), false
	for {
		at := b.busiest(waiting)
		if at == none {
			return moved
		}
		u := waiting[at][0]
		waiting[at] = waiting[at][1:]
		if b.relieve(u) {
			moved = true
		}
	}
}

// byMember returns the units of each Destination that accepts new placements, in ascending order of
// their draws.
func (b *balancer) byMember() [][]*unit {
	members := b.round.fleet.members
	waiting := make([][]*unit, len(members))
	for i := range b.units {
		if u := &b.units[i]; members[u.at].closed == "" {
			waiting[u.at] = append(waiting[u.at], u)
		}
	}
	for at := range waiting {
		slices.SortStableFunc(waiting[at], func(a, c *unit) int {
			return cmp.Compare(mix(a.seed^members[at].hash), mix(c.seed^members[at].hash))
		})
	}
	return waiting
}

// busiest returns the Destination with the highest load per weight among those with waiting units,
// or none.
func (b *balancer) busiest(waiting [][]*unit) int {
	best := none
	for at := range waiting {
		if len(waiting[at]) == 0 {
			continue
		}
		if best == none || b.compare(b.round.load[at], at, b.round.load[best], best) > 0 {
			best = at
		}
	}
	return best
}

// relieve moves a unit to the lightest Destination if that evens out the load, and reports whether
// it has moved the unit.
func (b *balancer) relieve(u *unit) bool {
	to := b.lightest(u)
	if to == none || b.compare(b.round.load[to]+len(u.jobs), to, b.round.load[u.at], u.at) >= 0 {
		return false
	}
	b.move(u, to, "")
	return true
}

// lightest returns the other Destination that can take the unit and whose load per weight would
// then be lowest, or none.
func (b *balancer) lightest(u *unit) int {
	members, load := b.round.fleet.members, b.round.load
	best, n := none, len(u.jobs)
	for _, at := range u.fit {
		s := &members[at]
		if at == u.at || s.weight == 0 || !s.ready || s.capacity != unlimited && load[at]+n > s.capacity || b.conflicts(u, at) {
			continue
		}
		c := 0
		if best != none {
			c = b.compare(load[at]+n, at, load[best]+n, best)
		}
		if best == none || c < 0 || c == 0 && mix(u.seed^s.hash) > mix(u.seed^members[best].hash) {
			best = at
		}
	}
	return best
}

func (b *balancer) conflicts(u *unit, at int) bool {
	return b.round.in.Conflicts != nil && slices.ContainsFunc(u.jobs, func(j *job) bool { return b.round.conflicts(j, at) })
}

func (b *balancer) move(u *unit, to int, reason string) {
	b.round.load[u.at] -= len(u.jobs)
	b.round.load[to] += len(u.jobs)
	u.at, u.reason = to, reason
}

// compare compares two loads, each divided by the weight of its Destination. n is the load of at,
// and m is the load of other.
func (b *balancer) compare(n, at, m, other int) int {
	mine, theirs := b.round.fleet.members[at].weight, b.round.fleet.members[other].weight
	return cmp.Compare(uint64(n)*max(theirs, 1)*weightClass(mine), uint64(m)*max(mine, 1)*weightClass(theirs)) //nolint:gosec // loads are not negative
}

// weightClass returns a large factor for weight 0, so that a load there compares as high.
func weightClass(weight uint64) uint64 {
	if weight == 0 {
		return maxWeight
	}
	return 1
}

func (b *balancer) moves() []Relocation {
	var moves []Relocation
	members := b.round.fleet.members
	for _, u := range b.units {
		if u.at == u.from {
			continue
		}
		reason := u.reason
		if reason == "" {
			reason = fmt.Sprintf("to balance the load: %d here, %d there", b.before[u.from], b.before[u.at])
		}
		for _, j := range u.jobs {
			moves = append(moves, Relocation{
				Work: kratix.KeyOf(j.work), Group: j.group.ID, Directory: j.group.Directory,
				From: members[u.from].Name, To: members[u.at].Name, Reason: reason,
			})
		}
	}
	slices.SortStableFunc(moves, func(a, b Relocation) int { return a.Work.Compare(b.Work) })
	return moves
}

func (r *round) subtractRemoved(plan *Result) {
	for _, gone := range plan.Removed {
		r.count(gone, -1)
	}
	for _, gone := range plan.Moved {
		r.count(gone.WorkPlacement, -1)
	}
}
