package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/finding"
	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/layout"
	"github.com/kratix-schedule/kratix-schedule/report"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/tree"
)

// desired is what a store should hold after the round.
type desired struct {
	*storeView
	destinations []*desiredDestination
	findings     []finding.Finding
}

// desiredDestination is what a Destination's directory should hold.
type desiredDestination struct {
	*destinationView
	fixtures   []tree.File
	placements []*desiredPlacement
	removed    []recordView
}

// desiredPlacement is one placement on its way through the round.
type desiredPlacement struct {
	*kratix.WorkPlacement
	// from is the plan's; nil for a placement that is kept as it is.
	from      *scheduler.Placement
	rendering layout.Rendering
	record    tree.File
	state     report.State
	reason    string
}

// writable tells whether the placement's files are to be written.
func (p *desiredPlacement) writable() bool { return p.state == report.Placed }

// desire renders everything that the plan puts on a store.
func desire(store *storeView, plan planned, policy Policy) *desired {
	d := &desired{storeView: store}
	for _, view := range store.destinations {
		part := plan.of(view.Name)
		dest := &desiredDestination{destinationView: view}
		dest.fixtures, _ = layout.Fixtures(view.Destination) // without roots it were left out before
		for _, placement := range part.placements {
			dest.placements = append(dest.placements, d.render(view, placement))
		}
		for _, kept := range part.kept {
			dest.placements = append(dest.placements, keep(view, kept, "its Work cannot be read now"))
		}
		d.remove(dest, part.removed, policy)
		dest.relocate(part.moved)
		d.destinations = append(d.destinations, dest)
	}
	return d
}

// render gives a placement its files. One that cannot be rendered whole is held
// back.
func (d *desired) render(view *destinationView, from *scheduler.Placement) *desiredPlacement {
	p := &desiredPlacement{WorkPlacement: from.WorkPlacement, from: from, state: report.Placed, reason: from.Reason}
	rendering, findings := layout.Render(view.Destination, from.WorkPlacement)
	record, err := layout.Record(view.Destination, from.WorkPlacement, rendering.Files)
	if err != nil {
		findings = append(findings, finding.Finding{Rule: finding.UnsafePath(), Place: finding.Place{Object: kratix.Describe(from.Work)}, Message: err.Error()})
	}
	p.rendering, p.record = rendering, record
	if len(findings) > 0 {
		p.state, p.reason = report.Held, "a file of it cannot be written"
		d.findings = append(d.findings, findings...)
	}
	return p
}

// keep leaves a placement as it is, whatever it is.
func keep(view *destinationView, placement *kratix.WorkPlacement, reason string) *desiredPlacement {
	p := &desiredPlacement{WorkPlacement: placement, state: report.Kept, reason: reason}
	p.rendering, _ = layout.Render(view.Destination, placement) // a record has no contents that could fail
	return p
}

// remove takes the records of placements that are no longer wanted, unless
// they are suspiciously many.
func (d *desired) remove(dest *desiredDestination, removed []*kratix.WorkPlacement, policy Policy) {
	for _, record := range dest.records {
		if slices.Contains(removed, record.placement) {
			dest.removed = append(dest.removed, record)
		}
	}
	if policy.allows(len(dest.removed), len(dest.records)) {
		return
	}
	d.findings = append(d.findings, deletionsRefused(dest))
	for _, record := range dest.removed {
		dest.placements = append(dest.placements, keep(dest.destinationView, record.placement, "too many would be removed at once"))
	}
	dest.removed = nil
}

// planned is the plan, by Destination.
type planned map[string]*plannedPart

type plannedPart struct {
	placements    []*scheduler.Placement
	kept, removed []*kratix.WorkPlacement
	// moved maps placements to where others have taken their place.
	moved map[*kratix.WorkPlacement]string
}

// byDestination deals a plan out.
func byDestination(plan *scheduler.Result) planned {
	parts := planned{}
	for i := range plan.Placements {
		part := parts.of(plan.Placements[i].Spec.TargetDestinationName)
		part.placements = append(part.placements, &plan.Placements[i])
	}
	for _, kept := range slices.Concat(plan.Kept, plan.Held) {
		part := parts.of(kept.Spec.TargetDestinationName)
		part.kept = append(part.kept, kept)
	}
	for _, removed := range plan.Removed {
		part := parts.of(removed.Spec.TargetDestinationName)
		part.removed = append(part.removed, removed)
	}
	for _, moved := range plan.Moved {
		parts.of(moved.Spec.TargetDestinationName).moved[moved.WorkPlacement] = moved.To
	}
	for _, part := range parts {
		sortPlacements(part.kept)
	}
	return parts
}

// of gives the part of a Destination.
func (p planned) of(destination string) *plannedPart {
	if p[destination] == nil {
		p[destination] = &plannedPart{moved: map[*kratix.WorkPlacement]string{}}
	}
	return p[destination]
}
