package reconcile

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
	"github.com/kratix-schedule/kratix-schedule/rollout"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

type rolledOut struct {
	runs     []rolloutRun
	findings []finding.Finding
	due      time.Time
	// keepsRemoved means that dependencies stay that are to be removed later.
	keepsRemoved bool
}

// learn stores the plans for the next round.
func (o *rolledOut) learn() {
	for i := range o.runs {
		o.runs[i].memory.Learn(&o.runs[i].input, &o.runs[i].result)
	}
}

// dueIn returns the delay until a rollout changes by itself, or 0 if none does.
func (o *rolledOut) dueIn(now time.Time) time.Duration {
	if o.due.IsZero() {
		return 0
	}
	return max(o.due.Sub(now), time.Second)
}

// rolloutRun is the plan of a Rollout for one Promise.
type rolloutRun struct {
	rolloutKey
	input  rollout.Input
	result rollout.Result
	memory *rollout.Memory
	units  [][]*rolloutUnit
}

// rollingOut is the computation of a round's rollouts.
type rollingOut struct {
	*observed
	specs *rolloutSpecs
	parts planned
	cache *rolloutCache
	now   time.Time
	// reports are the reports of agents by Destination.
	reports map[string][]*report.Delivery
	past    *feedbackCache
	read    *kustomize.Cache
	policy  Policy
	// selects reports whether this process writes to a state store with the given labels. Nil means all.
	selects func(labels map[string]string) bool
	result  rolledOut
}

// continues reports whether a rollout is not complete, or a removal.
func (o *rolledOut) continues() bool {
	return o.keepsRemoved || slices.ContainsFunc(o.runs, func(r rolloutRun) bool { return r.result.Phase != rollout.Complete })
}

// rollOut carries out the Rollouts. It moves some placements of the plan to the waiting placements,
// and adds steps for others.
func (o *rollingOut) rollOut(ctx context.Context) (planned, rolledOut) {
	o.specs = newRolloutSpecs(o.observed)
	switch {
	case len(o.specs.all) == 0 && !o.specs.isUncertain:
		return o.parts, rolledOut{findings: o.specs.findings}
	case o.Assigned, slices.ContainsFunc(o.stores, func(s *storeView) bool { return s.state.Stepwise }):
		return o.parts, rolledOut{findings: ignoredRollouts(o.observed)}
	}
	o.parts = maps.Clone(o.parts)
	for _, run := range o.collect(ctx) {
		o.carryOut(ctx, run)
	}
	o.keepRemoved()
	o.result.findings = append(o.result.findings, o.specs.findings...)
	return o.parts, o.result
}

// ignoredRollouts returns a finding for each Rollout.
func ignoredRollouts(o *observed) []finding.Finding {
	var findings []finding.Finding
	for _, r := range o.Rollouts {
		findings = append(findings, finding.Finding{
			Rule: finding.RolloutIgnored(), Place: finding.Place{Object: kratix.Describe(r)}, Message: "in this mode, Kratix decides when Destinations change",
		})
	}
	return findings
}

// collect returns the runs of all Rollouts, sorted, with the state of the selected placements.
func (o *rollingOut) collect(ctx context.Context) []*rolloutRun {
	runs := map[rolloutKey]*rolloutRun{}
	for _, store := range o.stores {
		for _, view := range store.destinations {
			for _, u := range o.unitsOf(store, view) {
				spec := o.specs.ofWork(u.work)
				o.cache.stateOf(ctx, u, o.now)
				u.addReports(o.reports[view.Name])
				key := rolloutKey{spec.name, u.work.Spec.PromiseName}
				if runs[key] == nil {
					runs[key] = &rolloutRun{rolloutKey: key, input: rollout.Input{Spec: spec.Spec, Now: o.now, Watching: o.cache.watching}}
				}
				runs[key].add(view, u, o.selects != nil && !o.selects(store.labels()))
			}
		}
	}
	sorted := slices.SortedFunc(maps.Values(runs), func(a, b *rolloutRun) int {
		return cmp.Or(strings.Compare(a.rollout, b.rollout), strings.Compare(a.promise, b.promise))
	})
	for _, run := range sorted {
		run.sort()
	}
	return sorted
}

// unitsOf returns the Works on a Destination that valid Rollouts select, except for new requests.
// Works of invalid Rollouts wait.
func (o *rollingOut) unitsOf(store *storeView, view *destinationView) []*rolloutUnit {
	part := o.parts[view.Name]
	units := map[*kratix.Work]*rolloutUnit{}
	var sorted []*rolloutUnit
	var records map[placedGroup]*recordView
	for _, p := range part.placements {
		spec := o.specs.ofWork(p.Work)
		if spec == nil && !o.specs.isUncertain || p.New && !p.Work.IsDependency() && store.err == nil {
			continue
		}
		if records == nil {
			records = recordsOf(view)
		}
		record := records[groupOf(p.WorkPlacement)]
		if why := o.specs.whyHeld(spec, record); why != "" {
			o.wait(view, p, record, why)
			continue
		}
		if spec == nil {
			continue
		}
		u := units[p.Work]
		if u == nil {
			u = &rolloutUnit{store: store, view: view, work: p.Work}
			units[p.Work], sorted = u, append(sorted, u)
		}
		u.placements, u.records = append(u.placements, p), append(u.records, record)
	}
	addLeaving(sorted, &part, records)
	return sorted
}

// addLeaving adds the records of groups that the Works have lost.
func addLeaving(units []*rolloutUnit, part *destinationPlan, records map[placedGroup]*recordView) {
	for _, p := range slices.Concat(part.removed, part.proven) {
		for _, u := range units {
			if record := records[groupOf(p)]; kratix.KeyOf(u.work) == p.Work() && record != nil {
				u.leaving = append(u.leaving, record)
			}
		}
	}
}

func recordsOf(view *destinationView) map[placedGroup]*recordView {
	records := make(map[placedGroup]*recordView, len(view.records))
	for i := range view.records {
		records[groupOf(view.records[i].Placement)] = &view.records[i]
	}
	return records
}

func (r *rolloutRun) add(view *destinationView, u *rolloutUnit, isForeign bool) {
	last := len(r.input.Targets) - 1
	if last < 0 || r.input.Targets[last].Destination != view.Name {
		r.input.Targets = append(r.input.Targets, rollout.Target{Destination: view.Name, Labels: view.Labels, Foreign: isForeign})
		r.units = append(r.units, nil)
		last++
	}
	r.input.Targets[last].Units = append(r.input.Targets[last].Units, u.Unit)
	r.units[last] = append(r.units[last], u)
}

// revisionBytes is the number of bytes of a digest in a revision.
const revisionBytes = 6

// sort sorts the targets by name, and sets the revision of the wanted contents.
func (r *rolloutRun) sort() {
	order := make([]int, len(r.input.Targets))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return strings.Compare(r.input.Targets[a].Destination, r.input.Targets[b].Destination)
	})
	targets, units := make([]rollout.Target, len(order)), make([][]*rolloutUnit, len(order))
	wanted := map[string]bool{}
	for to, from := range order {
		targets[to], units[to] = r.input.Targets[from], r.units[from]
		for _, u := range units[to] {
			wanted[kratix.KeyOf(u.work).String()+" "+u.Wanted] = true
		}
	}
	r.input.Targets, r.units = targets, units
	sum := sha256.Sum256([]byte(strings.Join(slices.Sorted(maps.Keys(wanted)), "\n")))
	r.input.Revision = hex.EncodeToString(sum[:revisionBytes])
}

// carryOut plans a run, and changes the plans of the Destinations.
func (o *rollingOut) carryOut(ctx context.Context, run *rolloutRun) {
	known, ok := o.cache.memories.get(run.rolloutKey)
	if !ok {
		known = o.cache.memories.put(run.rolloutKey, &rollout.Memory{})
	}
	run.memory = known
	known.Recall(&run.input)
	run.result = rollout.Plan(run.input)
	for i := range run.result.Decisions {
		for _, u := range run.units[i] {
			o.decide(ctx, run, u, &run.result.Decisions[i])
		}
	}
	o.wake(run.result.Due)
	if f, failed := run.finding(); failed {
		o.result.findings = append(o.result.findings, f)
	}
	o.result.runs = append(o.result.runs, *run)
}

// finding returns the finding about a failed run, if it has failed.
func (r *rolloutRun) finding() (finding.Finding, bool) {
	switch r.result.Phase {
	case rollout.Failed, rollout.RollingBack, rollout.RolledBack:
	default:
		return finding.Finding{}, false
	}
	return finding.Finding{
		Rule: finding.RolloutFailed(), Place: finding.Place{Object: kratix.RolloutKind + " " + r.rollout},
		Message: fmt.Sprintf("revision %s of Promise %s: %s", r.input.Revision, r.promise, r.result.Reason),
	}, true
}

// decide carries out a decision about a Work on a Destination.
func (o *rollingOut) decide(ctx context.Context, run *rolloutRun, u *rolloutUnit, d *rollout.Decision) {
	if d.Action != rollout.Write {
		for _, record := range u.leaving {
			o.keepOne(removedRecord{u.view, record}, d.Reason)
		}
	}
	switch d.Action {
	case rollout.Write:
		o.write(run, u, d)
	case rollout.Restore:
		o.restore(ctx, run, u, d)
	case rollout.Stable:
		o.stabilize(ctx, run, u, d)
	default:
		o.waitAll(u, d.Reason)
	}
}

// waitAll makes the placements of a Work wait, unless they have the wanted content.
func (o *rollingOut) waitAll(u *rolloutUnit, why string) {
	if u.Stored == u.Wanted && !u.Mixed {
		return
	}
	for i := range u.placements {
		o.wait(u.view, u.placements[i], u.records[i], why)
	}
}

// wait moves a placement of the plan to the waiting placements.
func (o *rollingOut) wait(view *destinationView, p scheduler.Placement, record *recordView, why string) {
	o.parts.changeOn(view.Name, func(part *destinationPlan) {
		part.placements = slices.DeleteFunc(slices.Clone(part.placements), func(one scheduler.Placement) bool { return one.WorkPlacement == p.WorkPlacement })
		waiting := waitingPlacement{work: kratix.KeyOf(p.Work).String(), directory: p.Directory, reason: why}
		if record != nil {
			waiting.stored = record.Placement
		}
		part.waiting = append(part.waiting, waiting)
	})
}

func (o *rollingOut) addStep(u *rolloutUnit, i int, step *rolloutStep) {
	o.parts.changeOn(u.view.Name, func(part *destinationPlan) {
		steps := maps.Clone(part.steps)
		if steps == nil {
			steps = map[*kratix.WorkPlacement]*rolloutStep{}
		}
		steps[u.placements[i].WorkPlacement] = step
		part.steps = steps
	})
}

// write adds steps that mark the records of a Work with the wanted content.
func (o *rollingOut) write(run *rolloutRun, u *rolloutUnit, d *rollout.Decision) {
	isPending := u.Stored != u.Wanted || u.Mixed
	for i, record := range u.records {
		var mark *layout.Rollout
		if record != nil {
			mark = trusted(record, o.now)
		}
		switch {
		case !isPending || mark != nil && mark.Content == u.Wanted && mark.Run.Equal(run.result.Run):
			o.addStep(u, i, &rolloutStep{mark: mark})
		default:
			o.addStep(u, i, &rolloutStep{mark: u.markOf(run, mark, record, d.Late, o.now)})
		}
	}
}

// markOf returns the mark of a placement that the run writes. before is its present mark, or nil.
func (u *rolloutUnit) markOf(run *rolloutRun, before *layout.Rollout, record *recordView, isLate bool, now time.Time) *layout.Rollout {
	mark := &layout.Rollout{Name: run.rollout, Content: u.Wanted, Run: layout.Time{Time: run.result.Run}, Since: layout.Time{Time: now}, Late: isLate}
	switch {
	case record == nil:
	case before != nil && before.Content == u.Wanted:
		mark.Previous = before.Previous
	case before != nil:
		mark.Previous = &layout.Previous{Content: before.Content, Revision: string(u.store.state.Revision)}
	default:
		mark.Previous = &layout.Previous{Revision: string(u.store.state.Revision)}
	}
	return mark
}
