package reconcile

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// reporter gathers what a round has to say.
type reporter struct {
	said report.Report
	// parts are the placements by Destination; those that are on none are under
	// "".
	parts map[string][]report.Placement
}

// newReporter starts with what is known before any store is written.
func newReporter(w *world, plan *scheduler.Result, known *large) *reporter {
	r := &reporter{parts: map[string][]report.Placement{}}
	r.add(w.Snapshot.Findings...)
	r.add(w.findings...)
	r.add(largeWorks(w, known)...)
	r.add(w.invalid(plan.Invalid)...)
	r.said.Again, r.said.Emptied = plan.Again, w.emptied()
	for _, u := range plan.Unplaced {
		at := w.Origins.Of(u.Work)
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
		r.parts[""] = append(r.parts[""], report.Placement{
			Work: kratix.KeyOf(u.Work).String(), Directory: u.Directory, State: report.Unplaced, Reason: u.Reason,
		})
	}
	w.tellOutOfReach(r, plan)
	if len(plan.Held) > 0 {
		r.add(w.emptyFindings()...)
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

// failed reports that a store could not be read; its own finding is there
// already when it could not be opened.
func (r *reporter) failed(d *desired) {
	if d.err == nil {
		r.add(Failure(finding.Place{Object: d.ref.String()}, d.failed))
	}
	r.unwritten(d, report.Failed)
	for _, view := range d.destinations {
		told := r.parts[view.Name]
		for i := range told {
			told[i].Unread = true
		}
	}
}

// unwritten reports everything on a store whose changes are not written. What
// is unchanged only once an earlier write ends is not written yet.
func (r *reporter) unwritten(d *desired, state report.State) {
	for i, o := range d.outcomes {
		told := o.unwritten(state)
		for i := range told {
			if d.state.InHand && told[i].State == report.Unchanged {
				told[i].State = report.Pending
			}
		}
		r.parts[d.destinations[i].Name] = told
	}
}

// finished reports what became of a store, and of everything on it.
func (r *reporter) finished(d *desired, outcome statestore.Outcome) {
	for _, o := range d.outcomes {
		r.add(o.findings...)
	}
	switch {
	case errors.Is(outcome.Err, statestore.ErrPending), outcome.Err == nil && d.state.InHand:
		r.unwritten(d, report.Pending)
		return
	case errors.Is(outcome.Err, errRehearsed):
		r.unwritten(d, report.Rehearsed)
		return
	case outcome.Err != nil:
		f := Failure(finding.Place{Object: d.ref.String()}, outcome.Err)
		if errors.Is(outcome.Err, statestore.ErrStale) { // only the last try is reported
			f.Message += fmt.Sprintf(" (in each of %d tries)", attempts)
			f.Fix = "Find out who else writes there so often; the next round tries again."
		}
		r.add(f)
		r.unwritten(d, report.Failed)
		return
	}
	told := report.Store{Name: d.ref.String(), Revision: string(outcome.Revision), Covered: d.names(), Sites: map[string]string{}}
	for i, o := range d.outcomes {
		view := d.destinations[i]
		told.Sites[view.Name] = kratix.SiteOf(view.Destination, d.ref, d.spec)
		if o.emptied {
			r.said.Emptied = append(r.said.Emptied, view.Name)
		}
		if !o.changes.Empty() && !d.state.Stepwise {
			told.Destinations = append(told.Destinations, o.changed)
		}
		r.parts[d.destinations[i].Name] = o.told
	}
	at := slices.IndexFunc(r.said.Stores, func(s report.Store) bool { return s.Name == told.Name })
	if at < 0 {
		r.said.Stores = append(r.said.Stores, told)
		return
	}
	first := &r.said.Stores[at] // what was written of it before
	first.Revision = told.Revision
	maps.Copy(first.Sites, told.Sites)
	first.Destinations, first.Covered = append(first.Destinations, told.Destinations...), append(first.Covered, told.Covered...)
}

// elsewhere reports a store that another process writes to.
func (r *reporter) elsewhere(d *desired) {
	for _, o := range d.outcomes {
		r.add(o.findings...)
	}
	r.unwritten(d, report.Pending)
	if d.failed == nil {
		r.said.Stores = append(r.said.Stores, report.Store{Name: d.ref.String(), Revision: string(d.state.Revision)})
	}
}

// report returns everything said, in a stable order.
func (r *reporter) report(told *roll) report.Report {
	// A round that could do nothing would do nothing again.
	r.said.Again = r.said.Again && r.said.Changes()
	finding.Sort(r.said.Findings)
	r.said.Placements = told.of(r.parts)
	return r.said
}
