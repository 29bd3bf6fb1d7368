package scheduler

import (
	"fmt"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

type candidate struct {
	at          int
	ready, home bool
	draw        draw
}

func (c candidate) before(other candidate) bool {
	switch {
	case c.ready != other.ready:
		return c.ready
	case c.home != other.home:
		return c.home
	}
	return c.draw.before(other.draw)
}

// choose returns one of the Destinations that fit the group, with the reason, or none.
func (r *round) choose(j *job) (at int, reason string) {
	seed := requestOf(j.work).seed()
	homes := r.homes.of(seed)
	best := r.best(j, seed, homes, nil)
	if best.at == none {
		return none, ""
	}
	chosen := best
	var conflicting []int
	if len(j.fit.usable) > 1 {
		r.chosen[kratix.KeyOf(j.work)] = struct{}{}
	}
	if r.in.Conflicts != nil && len(j.fit.usable) > 1 {
		for r.conflicts(j, chosen.at) {
			conflicting = append(conflicting, chosen.at)
			next := r.best(j, seed, homes, conflicting)
			if next.at == none || next.ready != best.ready {
				chosen = best
				break
			}
			chosen = next
		}
	}
	return chosen.at, r.reason(j, chosen, conflicting)
}

func (r *round) conflicts(j *job, at int) bool {
	return r.in.Conflicts(j.work, j.group, r.fleet.members[at].Name)
}

// best returns the best candidate that is not excluded, in the order of Plan.
func (r *round) best(j *job, seed uint64, homes int32, excluded []int) candidate {
	best := candidate{at: none}
	for _, at := range j.fit.usable {
		if r.fleet.limited && r.isFull(at) || isAmong(excluded, at) {
			continue
		}
		s := &r.fleet.members[at]
		c := candidate{at: at, ready: s.ready, draw: draw{mix(seed ^ s.hash), s.weight}}
		if homes != none {
			c.home = r.homes.has(homes, at)
		}
		if best.at == none || c.before(best) {
			best = c
		}
	}
	return best
}

func isAmong(some []int, at int) bool {
	for _, one := range some {
		if one == at {
			return true
		}
	}
	return false
}

// isFull reports whether the Destination has reached its capacity, and sets r.crowded if so.
func (r *round) isFull(at int) bool {
	s := &r.fleet.members[at]
	if s.capacity == unlimited || r.load[at] < s.capacity {
		return false
	}
	r.crowded = true
	return true
}

// reason returns the reason for a choice as text.
func (r *round) reason(j *job, chosen candidate, conflicting []int) string {
	fit := j.fit
	if r.onlyDrawn(fit, chosen, conflicting) {
		return fit.spread
	}
	left, ready := r.room(fit)
	var steps []string
	if full := len(fit.usable) - left; full > 0 {
		steps = append(steps, phrase(full, "full"))
	}
	if fit.closed != "" {
		steps = append(steps, fit.closed)
	}
	if left == 1 {
		return strings.Join(append([]string{"the only Destination that fits"}, steps...), "; ")
	}
	if chosen.ready && ready < left {
		steps = append(steps, "ready, unlike "+others(left-ready))
	}
	switch {
	case isAmong(conflicting, chosen.at):
		steps = append(steps, "it would be held back on every Destination that fits as well")
	case len(conflicting) > 0:
		steps = append(steps, "it would be held back on "+others(len(conflicting)))
	}
	if chosen.home {
		return strings.Join(append(steps, "another group of the same request is there"), "; ")
	}
	return strings.Join(append(steps, spread(left, fit.evenly)), "; ")
}

func (r *round) onlyDrawn(fit *fit, chosen candidate, conflicting []int) bool {
	ready := fit.ready == 0 || fit.ready == len(fit.usable)
	return ready && !r.fleet.limited && fit.closed == "" && !chosen.home && len(conflicting) == 0 && len(fit.usable) > 1
}

func (r *round) room(fit *fit) (left, ready int) {
	for _, at := range fit.usable {
		if !r.isFull(at) {
			left++
			if r.fleet.members[at].ready {
				ready++
			}
		}
	}
	return left, ready
}

func others(n int) string {
	if n == 1 {
		return "1 other that fits"
	}
	return fmt.Sprintf("%d others that fit", n)
}

// summary returns the number of Destinations that accept the group, and the reasons why the others
// do not.
func (r *round) summary(j *job) string {
	if r.fleet.limited {
		return summarise(r.verdicts(j))
	}
	if j.fit.summary == "" {
		j.fit.summary = summarise(r.fleet.verdicts(j.fit))
	}
	return j.fit.summary
}

func (r *round) verdicts(j *job) []verdict {
	all := r.fleet.verdicts(j.fit)
	for i := range all {
		if all[i].kind == open && r.isFull(i) {
			all[i] = verdict{closed, "full"}
		}
	}
	return all
}
