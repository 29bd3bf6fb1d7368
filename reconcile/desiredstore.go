package reconcile

import (
	"cmp"
	"context"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

func (r *Reconciler) desired(ctx context.Context, store *storeView, plan *planning, excluded exclusions) *desired {
	d := &desired{storeView: store, failed: store.err}
	for _, view := range store.destinations {
		part := plan.of(view)
		d.leaving = d.leaving || part.leaves
		o, err := r.cache.outcomes.outcome(ctx, situation{
			store: store, destinationView: view, plan: part, policy: r.Policy, excluded: excluded[view.Name],
			failed: plan.failed[destinationKey{store.ref, view.Name}], hidden: plan.hidden && view.FilepathMode() == kratix.AggregatedYAML,
		}, &r.cache.contents)
		if chosen := plan.chosen[view.Name]; chosen != nil {
			o = o.withChoices(chosen, plan.fresh)
		}
		d.outcomes = append(d.outcomes, o)
		d.failed = cmp.Or(d.failed, err)
	}
	return d
}

func (p *planning) of(d *destinationView) destinationPlan {
	of := p.parts[d.Name]
	of.guard = p.guard.of(d)
	return of
}
