package scheduler

import (
	"fmt"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/test/growth"
)

func lostWorks() map[string]func(size int) (work func()) {
	halves := func(size int, name func(i int) string) (left, gone []*kratix.Work, existing []*kratix.WorkPlacement) {
		for i := range size {
			w := request(name(i), testkit.Group("."))
			gone = append(gone, w)
			existing = append(existing, existingPlacement(w, 0, "x"))
			left = append(left, request(fmt.Sprintf("left-%06d", i), testkit.Group(".")))
		}
		return left, gone, existing
	}
	byNumber := func(i int) string { return fmt.Sprintf("gone-%06d", i) }
	return map[string]func(size int) (work func()){
		"while part of the input is unknown": func(size int) func() {
			left, _, existing := halves(size, byNumber)
			in := Input{Works: left, Existing: existing, Destinations: []Destination{destination("x", nil)}, Incomplete: true}
			return func() { Plan(in) }
		},
		"of one request, in a directory of Works": func(size int) func() {
			d := newDirectory(Input{}, Result{})
			var by delta
			for i := range size {
				w := request(byNumber(i), testkit.Group("."))
				w.Spec.ResourceName = "one"
				d.addWork(w)
				by.lost = append(by.lost, w)
			}
			return func() { d.apply(by) }
		},
		"of one Work's placements, in a directory of Works": func(size int) func() {
			d := newDirectory(Input{}, Result{})
			w := dependency("one", testkit.Group("."))
			var by delta
			for i := range size {
				p := existingPlacement(w, 0, fmt.Sprintf("worker-%06d", i))
				d.addExisting(p)
				by.removed = append(by.removed, p)
			}
			return func() { d.apply(by) }
		},
	}
}

func TestLosingManyWorksIsLinear(t *testing.T) {
	for name, prepare := range lostWorks() {
		t.Run(name, func(t *testing.T) { growth.Linear(t, prepare) })
	}
}

func BenchmarkLosingManyWorks(b *testing.B) {
	for name, prepare := range lostWorks() {
		b.Run(name, func(b *testing.B) { growth.Benchmark(b, prepare) })
	}
}

func TestIncompleteInputHoldsOnlyPlacementsWithoutWork(t *testing.T) {
	empty := request("empty") // the Work exists, although it has no groups
	gone := request("gone", testkit.Group("."))
	was := request("empty", testkit.Group("."))
	plan := Plan(Input{
		Works: []*kratix.Work{empty}, Existing: []*kratix.WorkPlacement{existingPlacement(was, 0, "x"), existingPlacement(gone, 0, "x")},
		Destinations: []Destination{destination("x", nil)}, Incomplete: true,
	})
	if len(plan.Removed) != 1 || plan.Removed[0].Work().Name != "empty" || len(plan.KeptMissing) != 1 || plan.KeptMissing[0].Work().Name != "gone" {
		t.Errorf("removed %v, held %v", plan.Removed, plan.KeptMissing)
	}
}
