package reconcile

import (
	"context"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

// deferUndecided removes the new placements of requests from the changes. Their Works must record
// the decision before files are written.
func (r *Reconciler) deferUndecided(ctx context.Context, plan *planning, stores []*desired) []*desired {
	fresh := map[*kratix.WorkPlacement]*kratix.Work{}
	for name, part := range plan.parts {
		undecided := func(p scheduler.Placement) bool { return p.New && !p.Work.IsDependency() }
		for _, p := range part.placements {
			if undecided(p) {
				fresh[p.WorkPlacement] = p.Work
			}
		}
		part.placements = slices.DeleteFunc(slices.Clone(part.placements), undecided)
		plan.parts[name] = part
	}
	if len(fresh) == 0 {
		return stores
	}
	plan.fresh, plan.chosen = fresh, map[string]*outcome{}
	for _, store := range stores {
		for i, d := range store.destinations {
			plan.chosen[d.Name] = store.outcomes[i]
		}
	}
	for i, before := range stores {
		stores[i] = r.desired(ctx, before.storeView, plan, r.refusals.of(before.storeView).known())
	}
	return stores
}

// withChoices returns a copy of o with the findings of chosen, and with the placements of chosen
// that are in fresh.
func (o *outcome) withChoices(chosen *outcome, fresh map[*kratix.WorkPlacement]*kratix.Work) *outcome {
	if o == chosen {
		return o
	}
	merged := *o
	merged.findings, merged.placements = chosen.findings, slices.Clone(o.placements)
	for _, p := range chosen.placements {
		work := fresh[p.Object]
		if work == nil {
			continue
		}
		if p.State == report.Placed {
			p.State, p.Chosen = report.Pending, work
		}
		merged.placements = append(merged.placements, p)
	}
	slices.SortStableFunc(merged.placements, report.ComparePlacements)
	return &merged
}
