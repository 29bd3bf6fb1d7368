package main

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/status"
)

// renewals delays changes of WorkPlacements that only set or report a new generation. Without the
// delay, such a change could make Kratix update the Work again at once.
type renewals struct {
	last map[kratix.Key]time.Time
}

// renewalInterval is the time after a change of a WorkPlacement in which such changes are delayed.
const renewalInterval = 10 * time.Second

// slow removes the changes to delay, and returns the time until the first of them is due, or 0 if
// there is none.
func (r *renewals) slow(lists [][]status.Change, now time.Time) (due time.Duration) {
	r.forget(now)
	for i := range lists {
		for j := range lists[i] {
			change := &lists[i][j]
			placement, ok := change.Object.(*kratix.WorkPlacement)
			if !ok {
				continue
			}
			change.Steps = slices.DeleteFunc(change.Steps, func(step status.Step) bool {
				spec, ok := step.Patch["spec"].(kratix.WorkPlacementSpec)
				if !ok {
					return false
				}
				left := r.wait(placement, len(step.Patch) == 1 && placement.Spec.SameContents(spec), now)
				due = sooner(due, left)
				return left > 0
			})
		}
		lists[i] = slices.DeleteFunc(lists[i], func(c status.Change) bool { return len(c.Steps) == 0 && len(c.Events) == 0 })
	}
	return due
}

// slowPromoted removes the reports to delay, and returns the time until the first of them is due,
// or 0 if there is none.
func (r *renewals) slowPromoted(lists [][]status.Change, now time.Time) (due time.Duration) {
	r.forget(now)
	for i := range lists {
		lists[i] = slices.DeleteFunc(lists[i], func(change status.Change) bool {
			placement, ok := change.Object.(*kratix.WorkPlacement)
			if !ok {
				return false
			}
			left := r.wait(placement, saysOnlyGeneration(placement, change), now)
			due = sooner(due, left)
			return left > 0
		})
	}
	return due
}

// wait returns the delay of a change of a WorkPlacement. It records a change without delay as the
// last one.
func (r *renewals) wait(p *kratix.WorkPlacement, isRenewal bool, now time.Time) time.Duration {
	changed, lately := r.last[kratix.KeyOf(p)]
	if isRenewal && lately {
		return renewalInterval - now.Sub(changed)
	}
	r.last[kratix.KeyOf(p)] = now
	return 0
}

func (r *renewals) forget(now time.Time) {
	if r.last == nil {
		r.last = map[kratix.Key]time.Time{}
	}
	for key, at := range r.last {
		if now.Sub(at) >= renewalInterval {
			delete(r.last, key)
		}
	}
}

// saysOnlyGeneration reports whether a change of conditions changes only observedGeneration.
func saysOnlyGeneration(p *kratix.WorkPlacement, change status.Change) bool {
	if len(change.Steps) != 1 || len(change.Events) > 0 {
		return false
	}
	said, _ := change.Steps[0].Patch["status"].(map[string]any)
	conditions, ok := said["conditions"].([]metav1.Condition)
	return ok && slices.EqualFunc(p.Status.Conditions, conditions, func(a, b metav1.Condition) bool {
		a.ObservedGeneration = b.ObservedGeneration
		return a == b
	})
}
