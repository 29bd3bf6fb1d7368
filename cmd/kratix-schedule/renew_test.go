package main

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/status"
)

func TestNewGenerationWithEqualContentsIsDelayed(t *testing.T) {
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

func TestNewGenerationOfPromotedContentsIsDelayed(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	placement := &kratix.WorkPlacement{}
	placement.Name, placement.Namespace = "a", "default"
	var r renewals
	said := func(generation int64, message string) (bool, time.Duration) {
		conditions := []metav1.Condition{{Type: kratix.PromotedCondition, Status: metav1.ConditionTrue, Reason: "Promoted", Message: message, ObservedGeneration: generation}}
		patch := map[string]any{"status": map[string]any{"conditions": conditions}}
		lists := [][]status.Change{{{Object: placement, Steps: []status.Step{{Verb: status.PatchStatus, Patch: patch}}}, {Object: kratix.NewWork()}}}
		due := r.slowPromoted(lists, now)
		if len(lists[0]) == 1 {
			return false, due
		}
		placement.Status.Conditions = conditions
		return true, due
	}
	for _, step := range []struct {
		after      time.Duration
		generation int64
		message    string
		want       bool
		due        time.Duration
	}{
		{0, 1, "at one", true, 0},
		{time.Second, 2, "at one", false, 9 * time.Second},
		{time.Second, 3, "at two", true, 0},
		{time.Second, 4, "at two", false, 9 * time.Second},
		{9 * time.Second, 5, "at two", true, 0},
	} {
		now = now.Add(step.after)
		if got, due := said(step.generation, step.message); got != step.want || due != step.due {
			t.Errorf("generation %d %q: said %v and due after %v, want %v and %v", step.generation, step.message, got, due, step.want, step.due)
		}
	}
}
