package main

import (
	"context"
	"slices"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/status"
	"github.com/kratix-schedule/kratix-schedule/internal/status/apply"
	"github.com/kratix-schedule/kratix-schedule/source/kube"
)

// confirmInterval is the delay before the API server is asked again for WorkPlacements that the
// watch has not shown.
const confirmInterval = 5 * time.Second

// withoutExpected removes the creation of WorkPlacements that the watch is expected to show.
func withoutExpected(lists [][]status.Change, expected func(kratix.Key) bool) [][]status.Change {
	for i, list := range lists {
		lists[i] = slices.DeleteFunc(list, func(change status.Change) bool {
			return len(change.Steps) > 0 && change.Steps[0].Verb == status.Create && expected(kratix.KeyOf(change.Object))
		})
	}
	return lists
}

// expect registers created WorkPlacements, and waits for the watches to show the writes. It returns
// the delay until the next call of Confirm, or 0 if none is needed.
func (k *cluster) expect(ctx context.Context, outcome apply.Outcome) time.Duration {
	var attempts []kube.Attempt
	for _, created := range outcome.Created {
		if placement, ok := created.Object.(*kratix.WorkPlacement); ok {
			attempts = append(attempts, kube.Attempt{Object: placement, Version: created.Version})
		}
	}
	k.source.Expect(attempts)
	awaitWritten(ctx, k.source, outcome)
	if k.source.Confirm(ctx) {
		return confirmInterval
	}
	return 0
}

func awaitWritten(ctx context.Context, from *kube.Source, outcome apply.Outcome) {
	written := make([]kube.Written, 0, len(outcome.Written))
	for _, w := range outcome.Written {
		written = append(written, kube.Written(w))
	}
	from.Await(ctx, written)
}

// sooner returns the shorter of two delays. It ignores a delay of 0.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}
