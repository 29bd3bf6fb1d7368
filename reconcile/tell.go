package reconcile

import (
	"cmp"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/finding"
	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/report"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/tree"
)

// reporter gathers what a round has to say.
type reporter struct {
	said report.Report
}

// newReporter starts with what is known before any store is written.
func newReporter(w *world, plan *scheduler.Result) *reporter {
	r := &reporter{}
	r.add(w.Snapshot.Findings...)
	r.add(w.findings...)
	r.add(largeWorks(w)...)
	r.add(w.invalid(plan.Invalid)...)
	r.said.Again = plan.Again
	for _, u := range plan.Unplaced {
		at := w.Origins[u.Work]
		at.Object = kratix.Describe(u.Work)
		rule := finding.NoDestination()
		if u.Waits {
			rule = finding.PlacementWaits()
		}
		fix := ""
		if len(w.Destinations) == 0 {
			fix = "Add a Destination to the input."
		}
		if !u.Idle {
			r.add(finding.Finding{Rule: rule, Place: at, Message: group(u.Directory) + ": " + u.Reason, Fix: fix})
		}
		r.said.Placements = append(r.said.Placements, report.Placement{
			Work: kratix.KeyOf(u.Work).String(), Directory: u.Directory, State: report.Unplaced, Reason: u.Reason,
		})
	}
	for _, p := range plan.Placements {
		if p.Misplaced {
			at := finding.Place{Object: kratix.Describe(p.Work)}
			r.add(finding.Finding{Rule: finding.Misplaced(), Place: at, Message: "on " + p.Spec.TargetDestinationName + ": " + p.Reason})
		}
	}
	for _, held := range plan.Held {
		at := finding.Place{Object: kratix.WorkKind + " " + held.Work().String()}
		r.add(finding.Finding{Rule: finding.DeletionsHeld(), Place: at, Message: "its placement on " + held.Spec.TargetDestinationName + " stays for now"})
	}
	return r
}

// group names a workload group as a person would.
func group(directory string) string {
	if directory == "" || directory == kratix.DefaultDirectory {
		return "its default group"
	}
	return "its group " + directory
}

func (r *reporter) add(findings ...finding.Finding) {
	r.said.Findings = append(r.said.Findings, findings...)
}

// failed tells that a store could not be read; its own finding is there
// already when it could not be opened.
func (r *reporter) failed(d *desired) {
	if d.err == nil {
		r.add(failure(finding.Place{Object: d.ref.String()}, d.failed))
	}
	r.placements(d, report.Failed)
}

// finished tells what became of a store, and of everything on it.
func (r *reporter) finished(d *desired, changes statestore.ChangeSet, revision statestore.Revision, err error) {
	r.add(d.findings...)
	if err != nil {
		r.add(failure(finding.Place{Object: d.ref.String()}, err))
		r.placements(d, report.Failed)
		return
	}
	r.said.Stores = append(r.said.Stores, report.Store{
		Name: d.ref.String(), Revision: string(revision), Destinations: perDestination(d, changes),
	})
	r.placements(d, report.Placed)
}

// placements tells of each placement; written is the state of those that had
// something to write.
func (r *reporter) placements(d *desired, written report.State) {
	for _, dest := range d.destinations {
		for _, p := range dest.placements {
			told := report.Placement{Work: p.Work().String(), Destination: dest.Name, State: p.state, Reason: p.reason}
			if p.from != nil {
				told.Directory = p.from.Directory
			}
			if p.state == report.Placed {
				told.State = written
			}
			r.said.Placements = append(r.said.Placements, told)
		}
		for _, record := range dest.removed {
			state := report.Removed
			if written == report.Failed {
				state = written
			}
			r.said.Placements = append(r.said.Placements, report.Placement{
				Work: record.Placement.Work().String(), Destination: dest.Name, State: state, Reason: cmp.Or(record.why, "its Work is gone"),
			})
		}
	}
}

// perDestination deals the changes out to the Destinations they are for.
func perDestination(d *desired, changes statestore.ChangeSet) []report.Destination {
	var told []report.Destination
	for _, dest := range d.destinations {
		of := report.Destination{Name: dest.Name, Removed: tree.Below(changes.Remove, dest.base)}
		for _, file := range changes.Write {
			if !file.Path.Within(dest.base) {
				continue
			}
			if _, there := d.state.Files[file.Path]; there {
				of.Changed = append(of.Changed, file.Path)
			} else {
				of.Added = append(of.Added, file.Path)
			}
		}
		if len(of.Added)+len(of.Changed)+len(of.Removed) > 0 {
			told = append(told, of)
		}
	}
	return told
}

// report gives everything said, in a stable order.
func (r *reporter) report() report.Report {
	// A round that could do nothing would do nothing again.
	r.said.Again = r.said.Again && r.said.Changes()
	finding.Sort(r.said.Findings)
	slices.SortStableFunc(r.said.Placements, func(a, b report.Placement) int {
		return cmp.Or(cmp.Compare(a.Work, b.Work), cmp.Compare(a.Directory, b.Directory), cmp.Compare(a.Destination, b.Destination))
	})
	return r.said
}
