package reconcile

import (
	"context"
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

// Look returns what a round would plan from, and what is wrong with it. It plans
// and writes nothing.
func (r *Reconciler) Look(ctx context.Context) (scheduler.Input, []finding.Finding, error) {
	snapshot, err := r.Source.Snapshot(ctx)
	if err != nil {
		return scheduler.Input{}, nil, fmt.Errorf("read the input: %w", err)
	}
	r.memo.turn(r.Builder, r.stop(ctx))
	r.follow(snapshot)
	world := observe(ctx, snapshot, r.Stores, r.Policy, &r.memo)
	findings := slices.Concat(snapshot.Findings, world.findings)
	finding.Sort(findings)
	return r.Policy.apply(world.input()), findings, nil
}

// apply puts what the user decides into the input of a plan.
func (p Policy) apply(in scheduler.Input) scheduler.Input {
	in.OnMisplaced, in.Moves = p.OnMisplaced, p.Moves
	return in
}

// relocate takes the placements whose place others have taken. The guard does
// not count them: nothing of their Works is lost.
func (dest *desiredDestination) relocate(moved map[*kratix.WorkPlacement]string) {
	for _, record := range dest.records {
		if to, ok := moved[record.Placement]; ok {
			record.why = "it is on " + to + " now"
			dest.removed = append(dest.removed, record)
		}
	}
}

// invalid makes findings of settings that the scheduler could not read.
func (w *world) invalid(settings []scheduler.Invalid) []finding.Finding {
	var findings []finding.Finding
	for _, s := range settings {
		at := w.Origins.Of(s.Object)
		at.Object = kratix.Describe(s.Object)
		findings = append(findings, finding.Finding{Rule: finding.InvalidAnnotation(), Place: at, Message: s.Message})
	}
	return findings
}
