package reconcile

import (
	"context"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

// heed takes in where the Works themselves say that their groups go, as far as
// nothing is recorded yet. So it counts as placed there, whoever is about to
// write it. What is recorded elsewhere counts more, unless it is to move.
func (w *world) heed() {
	elsewhere, taking := w.placed(), w.taking()
	for _, work := range w.Works {
		decisions, err := work.Decisions()
		if err != nil {
			at := w.Origins.Of(work)
			at.Object = kratix.Describe(work)
			w.findings = append(w.findings, finding.Finding{Rule: finding.InvalidAnnotation(), Place: at, Message: err.Error()})
		}
		for i := range work.Spec.WorkloadGroups {
			group := &work.Spec.WorkloadGroups[i]
			decision, decided := decisions[group.ID]
			on := elsewhere[placedGroup{kratix.KeyOf(work), group.ID}]
			if !decided || work.IsDependency() || slices.Contains(on, decision.Destination) || !taking[decision.Destination] {
				continue
			}
			if len(on) == 0 || slices.Equal(on, []string{decision.MovedFrom}) {
				w.decided = append(w.decided, decidedPlacement(work, group, decision))
			}
		}
	}
}

func decidedPlacement(work *kratix.Work, group *kratix.WorkloadGroup, decision kratix.Decision) *kratix.WorkPlacement {
	p := kratix.NewWorkPlacement(work, group, decision.Destination)
	if decision.MovedFrom != "" {
		p.Labels[kratix.MovedFromLabel] = decision.MovedFrom
	}
	return p
}

// placed returns the Destinations on which a group is by a record or by what the
// source remembers.
func (w *world) placed() map[placedGroup][]string {
	placed := w.recorded()
	for _, p := range w.unread {
		placed[groupOf(p)] = append(placed[groupOf(p)], p.Spec.TargetDestinationName)
	}
	return placed
}

// taking returns the names of the Destinations that are there, and not to be emptied.
func (w *world) taking() map[string]bool {
	taking := make(map[string]bool, len(w.Destinations))
	for _, d := range w.Destinations {
		taking[d.Name] = !d.IsDeleted() || !d.CleansUp()
	}
	return taking
}

// successor names a group of a Work on a Destination.
type successor struct {
	placedGroup
	destination string
}

// successors returns the groups that are decided to be on a Destination and not
// recorded there yet: until they are, what they take the place of stays.
func successors(decided []*kratix.WorkPlacement) map[successor]bool {
	awaited := make(map[successor]bool, len(decided))
	for _, p := range decided {
		awaited[successor{groupOf(p), p.Spec.TargetDestinationName}] = true
	}
	return awaited
}

// withhold takes what is new of requests out of what is to be written: first
// their Works must say where it goes. What is chosen is reported, for that to be
// said there.
func (r *Reconciler) withhold(ctx context.Context, plan *planning, stores []*desired) []*desired {
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
		stores[i] = r.desire(ctx, before.storeView, plan, r.refusals.of(before.storeView).known())
	}
	return stores
}

// withChoices returns an outcome that also reports what another, which is not
// written, came to for what is fresh.
func (o *outcome) withChoices(chosen *outcome, fresh map[*kratix.WorkPlacement]*kratix.Work) *outcome {
	if o == chosen {
		return o
	}
	told := *o
	told.findings, told.told = chosen.findings, slices.Clone(o.told)
	for _, p := range chosen.told {
		work := fresh[p.Object]
		if work == nil {
			continue
		}
		if p.State == report.Placed {
			p.State, p.Chosen = report.Pending, work
		}
		told.told = append(told.told, p)
	}
	slices.SortStableFunc(told.told, report.ComparePlacements)
	return &told
}
