package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

type planned map[string]destinationPlan

// divide divides a plan by Destination. staying are inherited placements that are not removed yet.
func divide(o *observed, plan *scheduler.Result, inherited []*formerPlacement, staying placementSet) planned {
	parts := byDestination(plan, o.decided)
	parts.routeInherited(inherited, plan, staying)
	parts.separateEvidence(o)
	return parts
}

// byDestination divides a plan by Destination. decided are placements that are not recorded yet.
func byDestination(plan *scheduler.Result, decided []*kratix.WorkPlacement) planned {
	parts := planned{}
	for _, on := range plan.Destinations {
		parts[on.Destination] = destinationPlan{placements: on.Placements}
	}
	for _, kept := range slices.Concat(plan.KeptInvalid, plan.KeptMissing) {
		parts.change(kept, func(p *destinationPlan) { p.kept = append(p.kept, kept) })
	}
	for _, removed := range plan.Removed {
		parts.change(removed, func(p *destinationPlan) { p.removed = append(p.removed, removed) })
	}
	awaited := successors(decided)
	for _, moved := range plan.Moved {
		if awaited[successor{groupOf(moved.WorkPlacement), moved.To}] {
			parts.change(moved.WorkPlacement, func(p *destinationPlan) { p.awaiting = append(p.awaiting, moved.WorkPlacement) })
			continue
		}
		parts.change(moved.WorkPlacement, func(p *destinationPlan) { p.move(moved.WorkPlacement, moved.To) })
	}
	return parts
}

func (p planned) change(placement *kratix.WorkPlacement, how func(*destinationPlan)) {
	p.changeOn(placement.Spec.TargetDestinationName, how)
}

func (p planned) changeOn(destination string, how func(*destinationPlan)) {
	of := p[destination]
	how(&of)
	p[destination] = of
}

type successor struct {
	placedGroup
	destination string
}

// successors returns the groups with the Destinations on which they are not recorded yet.
func successors(decided []*kratix.WorkPlacement) map[successor]bool {
	awaited := make(map[successor]bool, len(decided))
	for _, p := range decided {
		awaited[successor{groupOf(p), p.Spec.TargetDestinationName}] = true
	}
	return awaited
}

// routeInherited adds an action for each inherited placement to the plan. staying are placements
// that are not removed yet.
func (p planned) routeInherited(inherited []*formerPlacement, plan *scheduler.Result, staying placementSet) {
	if len(inherited) == 0 {
		return
	}
	removed, kept := setOf(plan.Removed), setOf(plan.KeptInvalid, plan.KeptMissing)
	for _, former := range inherited {
		placement := former.Placement
		p.changeOn(former.at.Name, func(part *destinationPlan) {
			switch {
			case removed[placement]:
				part.removed = append(part.removed, placement)
			case kept[placement]:
				part.kept = append(part.kept, placement)
			case former.counts && (staying[placement] || !former.sharesStore()):
				part.awaiting = append(part.awaiting, placement)
			default:
				part.leaves = part.leaves || former.counts
				part.move(placement, former.target())
			}
		})
	}
}

// sharesStore reports whether one commit can remove the placement and write its new copy.
func (f *formerPlacement) sharesStore() bool {
	return slices.ContainsFunc(f.store.destinations, func(d *destinationView) bool { return d.Name == f.target() })
}

func setOf(lists ...[]*kratix.WorkPlacement) placementSet {
	set := placementSet{}
	for _, list := range lists {
		for _, p := range list {
			set[p] = true
		}
	}
	return set
}
