package reconcile

import (
	"cmp"
	"context"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

// plan decides where everything goes and what may be written there. Groups that
// would conflict where they are new are tried elsewhere, while that helps.
func (r *Reconciler) plan(ctx context.Context, seen *observed, rules removalRules) (scheduler.Result, *planning, []*desired) {
	input := r.Policy.apply(schedulerInput(seen))
	clashing := conflicts{}
	for again := 0; ; again++ {
		plan := r.placer().Plan(input)
		parts, stores := r.desireAll(ctx, seen, &plan, rules)
		if len(input.Destinations) < 2 || again == replans || !clashing.learn(stores) {
			if r.agrees() {
				stores = r.withhold(ctx, parts, stores)
			}
			return plan, parts, stores
		}
		input.Clashes = clashing.has
	}
}

// replans bounds how often a plan is made anew because of conflicts.
const replans = 8

// conflicts are the choices of a Destination that were tried in this round and
// would conflict there.
type conflicts map[choice]bool

// has reports whether a choice was tried and would conflict.
func (c conflicts) has(work *kratix.Work, group *kratix.WorkloadGroup, destination string) bool {
	return c[choice{work, group.ID, destination}]
}

// learn adds the new placements that are held back, where the scheduler could
// have chosen otherwise. It reports whether there are any: then it is worth to
// plan again.
func (c conflicts) learn(stores []*desired) bool {
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

// placer returns what decides where everything goes.
func (r *Reconciler) placer() Planner {
	if r.Planner != nil {
		return r.Planner
	}
	return &r.planner
}

// planning is what a plan puts on each Destination.
type planning struct {
	parts planned
	// guard is what the deletion guard has decided.
	guard guardVerdict
	// hidden reports whether there may be placements that the plan does not have.
	hidden bool
	// chosen has, by Destination, what is reported of placements that are fresh: they
	// are not written before their Works say where they go.
	chosen map[string]*outcome
	fresh  map[*kratix.WorkPlacement]*kratix.Work
}

// desireAll finds out what all stores should hold. A guest leaves its directory only
// if its new copy is written with the same commit: where that is held back, the
// guest stays, and the stores are computed once more. Each time more guests stay,
// so that it ends.
func (r *Reconciler) desireAll(ctx context.Context, seen *observed, plan *scheduler.Result, rules removalRules) (*planning, []*desired) {
	staying := placementSet{}
	for _, guest := range seen.guests() {
		if r.refusals.of(guest.store).apart {
			staying[guest.Placement] = true
		}
	}
	for {
		parts := byDestination(plan, seen.decided)
		routeGuests(seen, parts, plan, staying)
		whole := &planning{parts: parts, guard: guardRemovals(seen, parts, rules), hidden: seen.Incomplete || len(seen.Rejected)+len(seen.RejectedPlacements) > 0}
		stores := make([]*desired, 0, len(seen.stores))
		for _, store := range seen.stores {
			stores = append(stores, r.desire(ctx, store, whole, r.refusals.of(store).known()))
		}
		if !keepGuests(seen, stores, staying) {
			return whole, stores
		}
	}
}

// keepGuests adds the guests to staying whose new copy would not be written, and
// reports whether there are more than before.
func keepGuests(o *observed, stores []*desired, staying placementSet) bool {
	before := len(staying)
	for _, guest := range o.guests() {
		if guest.counts && o.sharesStore(guest) && !isWritten(stores, guest) {
			staying[guest.Placement] = true
		}
	}
	return len(staying) > before
}

// isWritten reports whether the new copy of a guest is written in this round.
func isWritten(stores []*desired, guest *formerPlacement) bool {
	for _, store := range stores {
		for i, d := range store.destinations {
			if d.Name != guest.target() {
				continue
			}
			return slices.ContainsFunc(store.outcomes[i].placements, func(p report.Placement) bool {
				return p.Object != nil && groupOf(p.Object) == groupOf(guest.Placement) && (p.State == report.Placed || p.State == report.Unchanged)
			})
		}
	}
	return false
}

// desire finds out what a store should hold, if some of it is excluded.
func (r *Reconciler) desire(ctx context.Context, store *storeView, plan *planning, excluded exclusions) *desired {
	d := &desired{storeView: store, failed: store.err}
	for _, view := range store.destinations {
		o, err := r.cache.outcomes.outcome(ctx, situation{
			store: store, destinationView: view, part: plan.parts[view.Name], policy: r.Policy, excluded: excluded[view.Name],
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
