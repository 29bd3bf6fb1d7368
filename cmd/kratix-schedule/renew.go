package main

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/status"
)

// renewals slow down what changes nothing but the generation of a WorkPlacement's spec,
// or only says that another generation of it is promoted. A Promise with static dependencies makes Kratix update its Work some ten times a
// second for ever, each time with the same contents; to follow each of them would
// drive that on.
type renewals struct {
	// last is when the spec of a WorkPlacement was changed last.
	last map[kratix.Key]time.Time
}

// renewalInterval is how long a WorkPlacement that has just been changed waits for
// another generation of the same contents.
const renewalInterval = 10 * time.Second

// slow takes out of changes the patches that can wait, and returns how soon the first
// of them is due; 0 if none waits.
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

// slowPromoted takes out of changes those that say no more than that a WorkPlacement
// of another generation is promoted too, where one was made lately, and returns how
// soon the first of them is due; 0 if none waits.
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

// wait returns how long a change of a WorkPlacement has to wait: a renewal until the
// interval after the last change is over. 0 is not at all, and the change counts.
func (r *renewals) wait(p *kratix.WorkPlacement, isRenewal bool, now time.Time) time.Duration {
	changed, lately := r.last[kratix.KeyOf(p)]
	if isRenewal && lately {
		return renewalInterval - now.Sub(changed)
	}
	r.last[kratix.KeyOf(p)] = now
	return 0
}

// forget forgets what was changed long enough ago.
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

// saysOnlyGeneration reports whether the conditions of a WorkPlacement are to change
// in nothing but the generation that they were observed at.
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
