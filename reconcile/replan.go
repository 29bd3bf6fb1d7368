package reconcile

import (
	"cmp"
	"context"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

// plan decides which placements go where and which may be written. New groups that would
// conflict are tried on other Destinations, as long as that makes progress.
func (r *Reconciler) plan(ctx context.Context, seen *observed, rules removalRules) (scheduler.Result, *planning, []*desired) {
	input := r.Policy.apply(schedulerInput(seen))
	found := conflicts{}
	for again := 0; ; again++ {
		plan := r.placer().Plan(input)
		parts, stores := r.desiredStores(ctx, seen, &plan, rules)
		if len(input.Destinations) < 2 || again == replans || !found.add(stores) {
			if r.agrees() {
				stores = r.deferUndecided(ctx, parts, stores)
			}
			return plan, parts, stores
		}
		input.Conflicts = found.has
	}
}

// replans bounds how often a plan is recomputed because of conflicts.
const replans = 8

// conflicts are the choices that were tried in this round and would conflict.
type conflicts map[choice]bool

// has reports whether a choice was tried and would conflict.
func (c conflicts) has(work *kratix.Work, group *kratix.WorkloadGroup, destination string) bool {
	return c[choice{work, group.ID, destination}]
}

// add adds the new placements that are quarantined by a conflict. It reports whether it has
// added any, so that planning again may help.
func (c conflicts) add(stores []*desired) bool {
	before := len(c)
	for _, store := range stores {
		for _, o := range store.outcomes {
			for _, tried := range o.conflicting {
				c[tried] = true
			}
		}
	}
	return len(c) > before
}

// placer returns the Planner of the Reconciler or the default one.
func (r *Reconciler) placer() Planner {
	if r.Planner != nil {
		return r.Planner
	}
	return &r.planner
}

// planning is a plan, divided by Destination.
type planning struct {
	parts planned
	// guard is the verdict of the deletion guard.
	guard guardVerdict
	// hidden reports whether placements may exist that are not in the plan.
	hidden bool
	// chosen has, by Destination, the outcome to report for fresh placements. They are not
	// written before their Works record where they go.
	chosen map[string]*outcome
	fresh  map[*kratix.WorkPlacement]*kratix.Work
}

// desiredStores computes the desired content of all stores. An inherited placement leaves its
// directory only if its new copy is written in the same commit. If the new copy is held back,
// the inherited placement stays and the stores are computed once more. The set of staying
// placements grows each time, so the loop ends.
func (r *Reconciler) desiredStores(ctx context.Context, seen *observed, plan *scheduler.Result, rules removalRules) (*planning, []*desired) {
	staying := placementSet{}
	for _, former := range seen.inherited() {
		if r.refusals.of(former.store).separateCommits {
			staying[former.Placement] = true
		}
	}
	for {
		parts := byDestination(plan, seen.decided)
		routeInherited(seen, parts, plan, staying)
		whole := &planning{parts: parts, guard: guardRemovals(seen, parts, rules), hidden: seen.Incomplete || len(seen.Rejected)+len(seen.RejectedPlacements) > 0}
		stores := make([]*desired, 0, len(seen.stores))
		for _, store := range seen.stores {
			stores = append(stores, r.desired(ctx, store, whole, r.refusals.of(store).known()))
		}
		if !keepInherited(seen, stores, staying) {
			return whole, stores
		}
	}
}

// keepInherited adds the inherited placements whose new copy would not be written to staying,
// and reports whether it has added any.
func keepInherited(o *observed, stores []*desired, staying placementSet) bool {
	before := len(staying)
	for _, former := range o.inherited() {
		if former.counts && o.sharesStore(former) && !isWritten(stores, former) {
			staying[former.Placement] = true
		}
	}
	return len(staying) > before
}

// isWritten reports whether the new copy of an inherited placement is written in this round.
func isWritten(stores []*desired, former *formerPlacement) bool {
	for _, store := range stores {
		for i, d := range store.destinations {
			if d.Name != former.target() {
				continue
			}
			return slices.ContainsFunc(store.outcomes[i].placements, func(p report.Placement) bool {
				return p.Object != nil && groupOf(p.Object) == groupOf(former.Placement) && (p.State == report.Placed || p.State == report.Unchanged)
			})
		}
	}
	return false
}

// desired computes the desired content of a store with some units excluded.
func (r *Reconciler) desired(ctx context.Context, store *storeView, plan *planning, excluded exclusions) *desired {
	d := &desired{storeView: store, failed: store.err}
	for _, view := range store.destinations {
		o, err := r.cache.outcomes.outcome(ctx, situation{
			store: store, destinationView: view, plan: plan.parts[view.Name], policy: r.Policy, excluded: excluded[view.Name],
			hidden: plan.hidden && view.FilepathMode() == kratix.AggregatedYAML,
		}, &r.cache.contents)
		if chosen := plan.chosen[view.Name]; chosen != nil {
			o = o.withChoices(chosen, plan.fresh)
		}
		d.outcomes = append(d.outcomes, o)
		d.failed = cmp.Or(d.failed, err)
	}
	return d
}
