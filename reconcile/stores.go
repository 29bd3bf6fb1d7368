package reconcile

import (
	"context"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

type planning struct {
	parts  planned
	guard  guardVerdict
	hidden bool
	failed map[destinationKey][]*failedFiles
	// fresh maps each new placement of a request to its Work. A new placement is not written before
	// the chosen Destination is recorded on the Work. chosen maps the names of Destinations to
	// their outcomes with these placements, for the report. Both maps are nil without such
	// placements.
	chosen map[string]*outcome
	fresh  map[*kratix.WorkPlacement]*kratix.Work
}

// desiredStores computes the desired content of all stores. An inherited placement is removed from
// its directory only in the commit that writes its new copy. If the new copy is held back, the
// inherited placement stays, and the stores are computed again. The loop ends because more
// inherited placements stay each time.
func (r *Reconciler) desiredStores(ctx context.Context, seen *observed, reported feedback, plan *scheduler.Result, rules removalRules) (*planning, []*desired) {
	inherited := seen.inherited()
	staying := r.stayingAtFirst(inherited)
	for {
		parts := divide(seen, plan, inherited, staying)
		whole := &planning{parts: parts, guard: guardRemovals(seen, parts, rules), failed: reported.failed, hidden: seen.Incomplete || len(seen.Rejected)+len(seen.RejectedPlacements) > 0}
		stores := make([]*desired, 0, len(seen.stores))
		for _, store := range seen.stores {
			stores = append(stores, r.desired(ctx, store, whole, r.refusals.of(store).known()))
		}
		if !keepInherited(inherited, stores, staying) {
			return whole, stores
		}
	}
}
