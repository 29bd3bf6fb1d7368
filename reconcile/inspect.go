package reconcile

import (
	"context"
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

// Inspect returns the input from which a round would plan, and the findings about it. An error
// means that the source cannot be read.
func (r *Reconciler) Inspect(ctx context.Context) (scheduler.Input, []finding.Finding, error) {
	snapshot, err := r.Source.Snapshot(ctx)
	if err != nil {
		return scheduler.Input{}, nil, fmt.Errorf("read the input: %w", err)
	}
	r.cache.startRound(r.Builder, r.stop(ctx), r.time())
	followInput(r, snapshot)
	seen := observe(ctx, snapshot, r.Stores, r.Policy, &r.cache.observations)
	findings := slices.Concat(snapshot.Findings, seen.findings)
	finding.Sort(findings)
	return r.Policy.apply(schedulerInput(seen)), findings, nil
}
