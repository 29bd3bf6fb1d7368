package reconcile

import (
	"context"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

type planning struct {
	parts  planned
	guard  guardVerdict
	hidden bool
	failed map[destinationKey][]*failedFiles
	// fresh maps each new placement of a request to its Work. chosen are the outcomes with these
	// placements, by the name of the Destination. Both are nil if deferUndecided defers none.
	chosen map[string]*outcome
	fresh  map[*kratix.WorkPlacement]*kratix.Work
	// rollouts is the result of the rollouts.
	rollouts rolledOut
}

// desiredStores computes the desired content of all stores. It repeats this while inherited
// placements must stay because their new copies are held back.
func (r *Reconciler) desiredStores(ctx context.Context, seen *observed, reported feedback, plan *scheduler.Result, rules removalRules) (*planning, []*desired) {
	inherited := seen.inherited()
	staying := r.stayingAtFirst(inherited)
	for {
		parts := divide(seen, plan, inherited, staying)
		guard := guardRemovals(seen, parts, rules)
		parts, rollouts := r.rollingOut(seen, reported, parts).rollOut(ctx)
		_, guard.guarded = countRemovals(seen, parts, rules)
		whole := &planning{parts: parts, guard: guard, rollouts: rollouts, failed: reported.failed, hidden: seen.Incomplete || len(seen.Rejected)+len(seen.RejectedPlacements) > 0}
		stores := make([]*desired, 0, len(seen.stores))
		for _, store := range seen.stores {
			stores = append(stores, r.desired(ctx, store, whole, r.refusals.of(store).known()))
		}
		if !keepInherited(inherited, stores, staying) {
			return whole, stores
		}
	}
}

func (r *Reconciler) rollingOut(seen *observed, reported feedback, parts planned) *rollingOut {
	return &rollingOut{
		observed: seen, parts: parts, cache: &r.cache.rollouts, now: r.time().UTC().Truncate(time.Second),
		reports: (report.Report{Deliveries: reported.deliveries}).Agents(), past: &r.cache.feedback, read: &r.cache.outcomes.read, policy: r.Policy, selects: r.Selects,
	}
}
