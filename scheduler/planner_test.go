package scheduler

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

type changingInput struct {
	rng          *rand.Rand
	works        map[string]*kratix.Work
	destinations []Destination
	recorded     map[string]*kratix.WorkPlacement
	in           Input
}

func newChangingInput(seed uint64) *changingInput {
	c := &changingInput{rng: rand.New(rand.NewPCG(seed, 11)), works: map[string]*kratix.Work{}, recorded: map[string]*kratix.WorkPlacement{}}
	for range 6 {
		c.putDestination()
	}
	for range 80 {
		c.putWork()
	}
	return c
}

func (c *changingInput) chance(one int) bool { return c.rng.IntN(one) == 0 }

func (c *changingInput) putDestination() {
	d := destination(fmt.Sprintf("d%d", c.rng.IntN(8)), randomLabels(c.rng))
	d.Store = StoreState(min(2, max(0, c.rng.IntN(8)-5)))
	if c.chance(8) {
		d.Annotations = map[string]string{CordonAnnotation: []string{"true", "perhaps"}[c.rng.IntN(2)]}
	}
	c.destinations = slices.DeleteFunc(slices.Clone(c.destinations), func(o Destination) bool { return o.Name == d.Name })
	c.destinations = append(c.destinations, d)
}

func (c *changingInput) putWork() {
	name := fmt.Sprintf("w%03d", c.rng.IntN(120))
	groups := []kratix.WorkloadGroup{testkit.Group(".", asks("promise", randomLabels(c.rng)))}
	if c.chance(4) {
		groups = append(groups, testkit.Group("dir", asks("resource-workflow", randomLabels(c.rng))))
	}
	work := request(name, groups...)
	work.Spec.PromiseName, work.Spec.ResourceName = fmt.Sprintf("p%d", c.rng.IntN(12)), fmt.Sprintf("r%d", c.rng.IntN(6))
	if c.chance(8) {
		work.Spec.ResourceName = ""
		if c.chance(2) {
			work.Annotations = map[string]string{DependenciesAnnotation: []string{OnDemand, "sometimes"}[c.rng.IntN(2)]}
		}
	}
	c.works[name] = work
}

func (c *changingInput) change() {
	for range c.rng.IntN(3) {
		c.putWork()
	}
	if c.chance(3) {
		delete(c.works, fmt.Sprintf("w%03d", c.rng.IntN(120)))
	}
	if c.chance(15) {
		c.putDestination()
	}
	c.in = Input{Destinations: c.destinations, OnMisplaced: OnMisplaced(c.rng.IntN(40) / 39), Incomplete: c.chance(20), Unseen: c.chance(30), Conflicts: c.conflicts()}
	for _, name := range slices.Sorted(maps.Keys(c.works)) {
		if key := kratix.KeyOf(c.works[name]); c.chance(100) {
			c.in.Rejected = append(c.in.Rejected, key)
		} else {
			c.in.Works = append(c.in.Works, c.works[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.recorded)) {
		c.in.Existing = append(c.in.Existing, c.recorded[name])
	}
}

func (c *changingInput) conflicts() func(*kratix.Work, *kratix.WorkloadGroup, string) bool {
	if c.chance(3) {
		return nil
	}
	salt := uint64(c.rng.IntN(3))
	return func(w *kratix.Work, _ *kratix.WorkloadGroup, at string) bool { return (hash(w.Name+at)+salt)%3 == 0 }
}

func (c *changingInput) write(r Result) {
	for _, p := range r.Placements() {
		if old := c.recorded[p.Name]; !c.chance(6) && (old == nil || p.New || c.chance(30)) {
			c.recorded[p.Name] = p.WorkPlacement
		}
	}
	for _, p := range r.Removed {
		delete(c.recorded, p.Name)
	}
	for _, m := range r.Moved {
		delete(c.recorded, m.Name)
	}
}

func TestIncrementalPlanEqualsFullPlan(t *testing.T) {
	some := 0
	for seed := range uint64(60) {
		c, planner := newChangingInput(seed), &Planner{}
		for step := range 40 {
			c.change()
			want, got := Plan(c.in), planner.Plan(c.in)
			if a, b := planText(want), planText(got); a != b {
				t.Fatalf("seed %d step %d: the planner says\n%s\nand the plan is\n%s", seed, step, b, a)
			}
			if planner.known != nil {
				some++
			}
			c.write(got)
		}
	}
	if some < 1000 {
		t.Errorf("only %d plans were made of the last ones", some)
	}
}
