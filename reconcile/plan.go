package reconcile

import (
	"context"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

// Planner decides which placements go to which Destination. A round may call Plan several times.
type Planner interface {
	Plan(in scheduler.Input) scheduler.Result
}

// plan decides which placements go where and which may be written. It plans again if new groups may
// be written on other Destinations instead.
func (r *Reconciler) plan(ctx context.Context, seen *observed, reported feedback, rules removalRules) (scheduler.Result, *planning, []*desired) {
	input := r.Policy.apply(schedulerInput(seen))
	tried := conflicts{}
	for again := 0; ; again++ {
		plan := r.placer().Plan(input)
		whole, stores := r.desiredStores(ctx, seen, reported, &plan, rules)
		if len(input.Destinations) < 2 || again == replans || !tried.learn(stores) {
			if r.agrees() {
				stores = r.deferUndecided(ctx, whole, stores)
			}
			if r.Planned != nil {
				r.Planned(input)
			}
			whole.rollouts.learn()
			return plan, whole, stores
		}
		input.Conflicts = tried.has
	}
}

type groupChoice struct {
	work  *kratix.Work
	group string
}

// replans is the maximum number of repeated plans in a round.
const replans = 8

func (r *Reconciler) placer() Planner {
	if r.Planner != nil {
		return r.Planner
	}
	return &r.planner
}

// conflicts are the choices that would be quarantined in this round.
type conflicts map[choice]bool

func (c conflicts) has(work *kratix.Work, group *kratix.WorkloadGroup, destination string) bool {
	return c[choice{work, group.ID, destination}]
}

// learn adds the new placements that are quarantined, and reports whether it has added any. Of their
// groups it also adds the new placements that the API server may refuse.
func (c conflicts) learn(stores []*desired) bool {
	before := len(c)
	quarantined := make(map[groupChoice]bool, len(c))
	for tried := range c {
		quarantined[groupChoice{tried.work, tried.group}] = true
	}
	for _, store := range stores {
		for _, o := range store.outcomes {
			for _, tried := range o.conflicting {
				c[tried] = true
				quarantined[groupChoice{tried.work, tried.group}] = true
			}
		}
	}
	for _, store := range stores {
		for _, o := range store.outcomes {
			for _, tried := range o.doubtful {
				if quarantined[groupChoice{tried.work, tried.group}] {
					c[tried] = true
				}
			}
		}
	}
	return len(c) > before
}
