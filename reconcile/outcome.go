package reconcile

import (
	"cmp"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// outcome is what a round comes to on one Destination.
type outcome struct {
	findings []finding.Finding
	// changes are those of the Destination's files alone.
	changes statestore.ChangeSet
	// units are what the changes are about.
	units   []unitChange
	changed report.Destination
	// placements are the states to report once the changes are written, sorted as in a
	// report.
	placements []report.Placement
	// conflicting are new placements that are held back because of a conflict.
	conflicting []choice
	// waits are the WorkPlacements that wait for what others write.
	waits []string
	// emptied reports whether the Destination goes with its files, and has nothing more
	// but placements that are reported.
	emptied bool
}

// newOutcome returns what there is to say of a Destination, and what changes there.
func newOutcome(c *checked, made changes) *outcome {
	o := &outcome{findings: c.findings, changes: made.set, units: made.units, changed: filesChanged(&c.situation, made.set), waits: c.waits}
	for _, p := range c.candidates {
		if p.from != nil && p.from.Misplaced {
			at := finding.Place{Object: kratix.Describe(p.from.Work)}
			o.findings = append(o.findings, finding.Finding{Rule: finding.Misplaced(), Place: at, Message: "on " + c.Name + ": " + p.from.Reason})
		}
		if p.conflicts && p.from != nil && p.from.New && !p.from.Work.IsDependency() {
			o.conflicting = append(o.conflicting, choice{p.from.Work, p.Spec.ID, c.Name})
		}
	}
	o.placements = placementStates(c, made)
	o.emptied = c.goesWithItsFiles() && !c.restExcluded
	return o
}

// placementStates returns the state of each placement once all changes are written,
// sorted as in a report.
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
		if p.state == report.Held {
			one.Written = c.holdings.has(&p.placement)
		}
		states = append(states, one)
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

// own returns a placement if it is the Destination's; nil for one that is only in
// its directory, whose WorkPlacement says what is on the placement's own Destination.
func (d *destinationView) own(p *kratix.WorkPlacement) *kratix.WorkPlacement {
	if p.Spec.TargetDestinationName != d.Name {
		return nil
	}
	return p
}

// filesChanged returns what becomes of the Destination's files.
func filesChanged(s *situation, set statestore.ChangeSet) report.Destination {
	of := report.Destination{Name: s.Name, Removed: set.Remove}
	for _, file := range set.Write {
		if s.store.state.Files.Has(file.Path) {
			of.Changed = append(of.Changed, file.Path)
		} else {
			of.Added = append(of.Added, file.Path)
		}
	}
	return of
}

// unwritten returns the placements if the changes are not written: those that had
// something to write are in another state.
func (o *outcome) unwritten(state report.State) []report.Placement {
	told := slices.Clone(o.placements)
	for i := range told {
		switch told[i].State {
		case report.Removed:
			told[i].Reason = "to be removed: " + told[i].Reason
			told[i].State = state
		case report.Placed:
			told[i].State = state
		}
	}
	return told
}

// choice is a group on a Destination.
type choice struct {
	work               *kratix.Work
	group, destination string
}
