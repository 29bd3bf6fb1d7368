package scheduler

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/kratix"
)

// Rebalance gives the moves of requests that even the load of the Destinations,
// as their weights have it, or leave cordoned ones. Groups of a request that
// are together stay together. It proposes few moves: only those after which
// the busier of two Destinations is less busy than before. Misplaced
// placements are not its business, nor is what is being moved already.
func Rebalance(in Input) []Relocation {
	r := newRound(in, newFleet(in.Destinations))
	b := &balancer{round: r}
	if r.fleet.unread != "" {
		return nil // what is there and could be moved is not known
	}
	b.collect()
	for i := range b.units {
		if r.fleet.sites[b.units[i].at].closed != "" {
			b.leave(&b.units[i])
		}
	}
	for b.even() {
	}
	return b.moves()
}

// balancer moves units about until the load is even.
type balancer struct {
	round *round
	units []unit
	// before are the loads at the start.
	before []int
}

// unit is what a request has on one Destination: it moves as one.
type unit struct {
	jobs []*job
	// at is where it is by now, from where it is recorded.
	at, from int
	// fit are the Destinations where all of it fits.
	fit    []int
	seed   uint64
	reason string
}

// collect makes the units, in the order of their Works.
func (b *balancer) collect() {
	r := b.round
	result := r.plan()
	r.settle(&result)
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

// movable tells whether a job has one placement, where it fits, and no move is
// under way.
func (j *job) movable(r *round) bool {
	if j.work.IsDependency() || len(j.old) != 1 || j.moving || j.old[0].Labels[MovedFromLabel] != "" {
		return false
	}
	_, fits := r.fleet.suits(j.fit, j.old[0].Spec.TargetDestinationName)
	return fits
}

// leave moves a unit away from a Destination that takes nothing new.
func (b *balancer) leave(u *unit) {
	if to := b.lightest(u); to != none {
		b.move(u, to, b.round.fleet.sites[u.from].Name+" is "+b.round.fleet.sites[u.from].closed)
	}
}

// even does one pass over all units and tells whether anything moved.
func (b *balancer) even() bool {
	sites, load := b.round.fleet.sites, b.round.load
	order := make([]int, len(b.units))
	for i := range order {
		order[i] = i
	}
	// The busiest first, and of those what draws worst where it is.
	slices.SortStableFunc(order, func(x, y int) int {
		a, c := &b.units[x], &b.units[y]
		if a.at == c.at {
			return cmp.Compare(mix(a.seed^sites[a.at].hash), mix(c.seed^sites[c.at].hash))
		}
		return cmp.Or(compareLoads(load[c.at], sites[c.at].weight, load[a.at], sites[a.at].weight), cmp.Compare(a.at, c.at))
	})
	moved := false
	for _, i := range order {
		u := &b.units[i]
		to := b.lightest(u)
		if to == none || sites[u.at].closed != "" {
			continue
		}
		// It pays when the other will be less busy than this one is now.
		if compareLoads(load[to]+len(u.jobs), sites[to].weight, load[u.at], sites[u.at].weight) < 0 {
			b.move(u, to, "")
			moved = true
		}
	}
	return moved
}

// lightest gives the Destination where a unit would make the least load, but
// for the one where it is; none if there is none with room.
func (b *balancer) lightest(u *unit) int {
	sites, load := b.round.fleet.sites, b.round.load
	best, n := none, len(u.jobs)
	for _, at := range u.fit {
		s := &sites[at]
		if at == u.at || s.weight == 0 || !s.ready || s.capacity != unlimited && load[at]+n > s.capacity || b.clashes(u, at) {
			continue
		}
		c := 0
		if best != none {
			c = compareLoads(load[at]+n, s.weight, load[best]+n, sites[best].weight)
		}
		if best == none || c < 0 || c == 0 && mix(u.seed^s.hash) > mix(u.seed^sites[best].hash) {
			best = at
		}
	}
	return best
}

func (b *balancer) clashes(u *unit, at int) bool {
	return b.round.in.Clashes != nil && slices.ContainsFunc(u.jobs, func(j *job) bool { return b.round.clashes(j, at) })
}

func (b *balancer) move(u *unit, to int, reason string) {
	b.round.load[u.at] -= len(u.jobs)
	b.round.load[to] += len(u.jobs)
	u.at, u.reason = to, reason
}

// compareLoads compares n/weight with m/other. Where the weight is 0, any load
// is too much.
func compareLoads(n int, weight uint64, m int, other uint64) int {
	return cmp.Compare(uint64(n)*max(other, 1)*heavy(weight), uint64(m)*max(weight, 1)*heavy(other)) //nolint:gosec // loads are not negative
}

// heavy makes a load on a Destination of weight 0 count for more than others.
func heavy(weight uint64) uint64 {
	if weight == 0 {
		return maxWeight
	}
	return 1
}

// moves gives what has another place than before, in the order of the Works.
func (b *balancer) moves() []Relocation {
	var moves []Relocation
	sites := b.round.fleet.sites
	for _, u := range b.units {
		if u.at == u.from {
			continue
		}
		reason := u.reason
		if reason == "" {
			reason = fmt.Sprintf("to even the load: %d here, %d there", b.before[u.from], b.before[u.at])
		}
		for _, j := range u.jobs {
			moves = append(moves, Relocation{
				Work: kratix.KeyOf(j.work), Group: j.group.ID, Directory: j.group.Directory,
				From: sites[u.from].Name, To: sites[u.at].Name, Reason: reason,
			})
		}
	}
	slices.SortStableFunc(moves, func(a, b Relocation) int { return compareKeys(a.Work, b.Work) })
	return moves
}
