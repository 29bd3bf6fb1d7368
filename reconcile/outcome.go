package reconcile

import (
	"cmp"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

type outcome struct {
	findings []finding.Finding
	changes  fileChanges
	// units are the changes, divided into units.
	units []unitChange
	// placements are the states to report once the changes are written, sorted as in a report.
	placements []report.Placement
	// conflicting are new placements that are quarantined and may be written on another Destination.
	// doubtful are new placements that the API server may refuse.
	conflicting, doubtful []choice
	// blocked names the WorkPlacements that depend on what Kratix itself writes.
	blocked []string
	// emptied means that the Destination is being deleted together with its files.
	emptied bool
}

func newOutcome(c *checked, made changes) *outcome {
	o := &outcome{findings: slices.Clip(c.findings), changes: made.set, units: made.units, blocked: c.blocked}
	for _, p := range c.candidates {
		if p.from != nil && p.from.Misplaced {
			at := finding.Place{Object: kratix.Describe(p.from.Work)}
			o.findings = append(o.findings, finding.Finding{Rule: finding.Misplaced(), Place: at, Message: "on " + c.Name + ": " + p.from.Reason})
		}
		if p.from == nil || !p.from.New || p.from.Work.IsDependency() {
			continue
		}
		switch tried := (choice{p.from.Work, p.Spec.ID, c.Name}); {
		case p.conflicts:
			o.conflicting = append(o.conflicting, tried)
		case p.doubtful:
			o.doubtful = append(o.doubtful, tried)
		}
	}
	o.placements = placementStates(c, made)
	o.emptied = c.isRemovedWithFiles() && !c.restExcluded
	return o
}

// placementStates returns the state of each placement once all changes are written, sorted as in a
// report.
func placementStates(c *checked, made changes) []report.Placement {
	var states []report.Placement
	for _, p := range c.candidates {
		one := report.Placement{Work: p.Work().String(), Destination: c.Name, State: p.state, Reason: p.reason, Object: c.own(p.WorkPlacement)}
		if p.from != nil {
			one.Directory, one.Misplaced = p.from.Directory, p.from.Misplaced
		}
		if p.writable() && made.actions != nil && made.actions[p] == "" {
			one.State = report.Unchanged
		}
		if p.because != nil && p.writable() {
			one.State = report.HeldBack
		}
		if one.State == report.HeldBack || one.State == report.Kept {
			one.Written = c.holdings.has(&p.placement)
		}
		states = append(states, one)
	}
	for _, waiting := range c.plan.waiting {
		if waiting.stored == nil {
			states = append(states, report.Placement{
				Work: waiting.work, Directory: waiting.directory, Destination: c.Name, State: report.Kept, Reason: waiting.reason,
			})
		}
	}
	for _, record := range c.removed {
		states = append(states, report.Placement{
			Work: record.Placement.Work().String(), Destination: c.Name, State: report.Removed, Reason: cmp.Or(record.why, "its Work is gone"),
			Object: c.own(record.Placement),
		})
	}
	slices.SortStableFunc(states, report.ComparePlacements)
	return states
}

// own returns p if it is placed on this Destination, and otherwise nil.
func (d *destinationView) own(p *kratix.WorkPlacement) *kratix.WorkPlacement {
	if p.Spec.TargetDestinationName != d.Name {
		return nil
	}
	return p
}

// filesChanged returns the files that the changes add, change and remove. stored are the files
// before the changes.
func (o *outcome) filesChanged(destination string, stored statestore.Files) report.Destination {
	of := report.Destination{Name: destination, Removed: o.changes.Remove}
	for _, file := range o.changes.Write {
		if stored.Has(file.Path) {
			of.Changed = append(of.Changed, file.Path)
		} else {
			of.Added = append(of.Added, file.Path)
		}
	}
	return of
}

// unwritten returns the placements in the case that the changes are not written. The given state
// replaces Placed and Removed.
func (o *outcome) unwritten(state report.State) []report.Placement {
	placements := slices.Clone(o.placements)
	for i := range placements {
		switch placements[i].State {
		case report.Removed:
			placements[i].Reason = "to be removed: " + placements[i].Reason
			placements[i].State = state
		case report.Placed:
			placements[i].State = state
		}
	}
	return placements
}

type choice struct {
	work               *kratix.Work
	group, destination string
}
