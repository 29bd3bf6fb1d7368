package main

import (
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/status"
)

// TestAnotherGenerationOfTheSameContentsCanWait: a WorkPlacement that was just changed
// gets the next generation of the same contents some seconds later, and other contents
// at once.
func TestAnotherGenerationOfTheSameContentsCanWait(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	placement := &kratix.WorkPlacement{}
	placement.Name, placement.Namespace = "a", "default"
	placement.Spec.Workloads = []kratix.Workload{{Filepath: "a.yaml", Content: "one"}}
	var r renewals
	patched := func(generation int64, content string) (bool, time.Duration) {
		spec := placement.Spec
		spec.Generation, spec.Workloads = generation, []kratix.Workload{{Filepath: "a.yaml", Content: content}}
		lists := [][]status.Change{{{Object: placement, Steps: []status.Step{{Verb: status.Patch, Patch: map[string]any{"spec": spec}}}}}}
		due := r.slow(lists, now)
		if len(lists[0]) == 0 {
			return false, due
		}
		placement.Spec = spec
		return true, due
	}
	for _, step := range []struct {
		after      time.Duration
		generation int64
		content    string
		want       bool
		due        time.Duration
	}{
		{0, 1, "one", true, 0},
		{time.Second, 2, "one", false, 9 * time.Second},
		{time.Second, 3, "two", true, 0},
		{time.Second, 4, "two", false, 9 * time.Second},
		{8 * time.Second, 5, "two", false, time.Second},
		{time.Second, 6, "two", true, 0},
	} {
		now = now.Add(step.after)
		if got, due := patched(step.generation, step.content); got != step.want || due != step.due {
			t.Errorf("generation %d of %q: patched %v and due after %v, want %v and %v", step.generation, step.content, got, due, step.want, step.due)
		}
	}
}
