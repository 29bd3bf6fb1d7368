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

type reporter struct {
	report   report.Report
	findings map[string][]finding.Finding
	parts    map[string][]report.Placement
}

// newReporter returns a reporter with everything that is known before a store is written.
func newReporter(w *observed, plan *scheduler.Result, known *large) *reporter {
	r := &reporter{findings: map[string][]finding.Finding{}, parts: map[string][]report.Placement{}}
	r.add(w.Snapshot.Findings...)
	r.add(w.findings...)
	r.add(largeWorks(w, known)...)
	r.add(invalidSettings(w, plan.Invalid)...)
	r.report.Again, r.report.Emptied = plan.Again, emptied(w)
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
	reportUnreached(w, r, plan)
	if len(plan.KeptMissing) > 0 {
		r.add(emptyFindings(w)...)
	}
	for _, held := range plan.KeptMissing {
		at := finding.Place{Object: kratix.WorkKind + " " + held.Work().String()}
		r.add(finding.Finding{Rule: finding.DeletionsHeld(), Place: at, Message: "its placement on " + held.Spec.TargetDestinationName + " stays for now"})
	}
	return r
}

func group(directory string) string {
	if directory == "" || directory == kratix.DefaultDirectory {
		return "its default group"
	}
	return "its group " + directory
}

func (r *reporter) add(findings ...finding.Finding) {
	r.findings[""] = append(r.findings[""], findings...)
}

func (r *reporter) addFindings(d *desired) {
	for i, o := range d.outcomes {
		r.findings[d.destinations[i].Name] = o.findings
	}
}

// addFailed reports a store for which no changes could be computed.
func (r *reporter) addFailed(d *desired) {
	if d.err == nil {
		r.add(Failure(finding.Place{Object: d.ref.String()}, d.failed))
	}
	r.addUnwritten(d, report.Failed)
	for _, view := range d.destinations {
		placements := r.parts[view.Name]
		for i := range placements {
			placements[i].Unread = true
		}
	}
}

// addUnwritten reports the placements on a store whose changes are not written.
func (r *reporter) addUnwritten(d *desired, state report.State) {
	for i, o := range d.outcomes {
		placements := o.unwritten(state)
		for i := range placements {
			if d.state.WriteInProgress && placements[i].State == report.Unchanged {
				placements[i].State = report.Pending
			}
		}
		r.parts[d.destinations[i].Name] = placements
	}
}

func (r *reporter) addResult(d *desired, outcome statestore.Outcome) {
	r.addFindings(d)
	switch {
	case errors.Is(outcome.Err, statestore.ErrThrottled):
		r.addThrottled(d, outcome.Err)
		return
	case errors.Is(outcome.Err, statestore.ErrPending), outcome.Err == nil && d.state.WriteInProgress:
		r.addUnwritten(d, report.Pending)
		return
	case errors.Is(outcome.Err, errRehearsed):
		r.addUnwritten(d, report.Rehearsed)
		return
	case outcome.Err != nil:
		f := Failure(finding.Place{Object: d.ref.String()}, outcome.Err)
		if errors.Is(outcome.Err, statestore.ErrStale) { // this is the last of several tries
			f.Message += fmt.Sprintf(" (in each of %d tries)", attempts)
			f.Fix = "Find out who else writes there so often; the next round tries again."
		}
		r.add(f)
		r.addUnwritten(d, report.Failed)
		return
	}
	written := report.Store{Name: d.ref.String(), Revision: string(outcome.Revision), Covered: d.names(), Locations: map[string]string{}}
	for i, o := range d.outcomes {
		view := d.destinations[i]
		written.Locations[view.Name] = d.location(view.base).String()
		if o.emptied {
			r.report.Emptied = append(r.report.Emptied, view.Name)
		}
		if !o.changes.Empty() && !d.state.Stepwise {
			written.Destinations = append(written.Destinations, o.filesChanged(view.Name, d.state.Files))
		}
		r.parts[d.destinations[i].Name] = o.placements
	}
	at := slices.IndexFunc(r.report.Stores, func(s report.Store) bool { return s.Name == written.Name })
	if at < 0 {
		r.report.Stores = append(r.report.Stores, written)
		return
	}
	first := &r.report.Stores[at] // the entry has the Destinations of the store that were written before
	first.Revision = written.Revision
	maps.Copy(first.Locations, written.Locations)
	first.Destinations, first.Covered = append(first.Destinations, written.Destinations...), append(first.Covered, written.Covered...)
}

// addThrottled reports the placements on a store whose changes wait for a later commit.
func (r *reporter) addThrottled(d *desired, err error) {
	r.addUnwritten(d, report.Pending)
	reason := statestore.ErrThrottled.Error()
	var failed *statestore.Error
	if errors.As(err, &failed) {
		reason = failed.Err.Error()
	}
	for _, dest := range d.destinations {
		part := r.parts[dest.Name]
		for i := range part {
			if part[i].State == report.Pending {
				part[i].Reason = reason
			}
		}
	}
}

// addUnselected reports a store that another shard writes to. It returns the number of placements
// that are pending on it.
func (r *reporter) addUnselected(d *desired) (waiting int) {
	r.addFindings(d)
	r.addUnwritten(d, report.Pending)
	for _, dest := range d.destinations {
		part := r.parts[dest.Name]
		for i := range part {
			if part[i].State == report.Pending {
				part[i].Reason = "another shard writes to " + d.ref.String()
				waiting++
			}
		}
	}
	r.report.Stores = append(r.report.Stores, report.Store{Name: d.ref.String(), Revision: string(d.state.Revision), Unselected: true})
	return waiting
}

type reportedLists struct {
	findings   sortedList[finding.Finding]
	placements sortedList[report.Placement]
}

func (r *reporter) result(last *reportedLists) report.Report {
	// If this round changes nothing, the next round would also change nothing.
	r.report.Again = r.report.Again && r.report.Changes()
	r.report.Findings = last.findings.merge(r.findings, finding.Compare, finding.Finding.Equal)
	r.report.Placements = last.placements.merge(r.parts, report.ComparePlacements, func(a, b report.Placement) bool { return a == b })
	return r.report
}
