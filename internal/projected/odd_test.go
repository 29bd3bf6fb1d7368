package projected_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

func TestIrregularlyNamedWorkPlacementBelongsToItsGroup(t *testing.T) {
	for _, mode := range layout.Modes() {
		for _, hidden := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/hidden=%v", mode, hidden), func(t *testing.T) {
				c := newCluster(t, mode, hidden)
				c.put("a", "worker-1", "o1")
				work := c.works["a"]
				odd := testkit.Placement(work, "worker-1")
				odd.Name = "a.worker-1"
				key := kratix.KeyOf(odd)
				c.placements[key], c.dirty[key] = odd, c.now
				random := rand.New(rand.NewPCG(1, 1))
				only := func(generation int64) {
					t.Helper()
					said := c.runUntilIdle(random)
					if len(c.placements) != 1 || c.placements[key] == nil || c.placements[key].Spec.Generation != generation {
						t.Fatalf("WorkPlacements %v, want the odd one alone, of generation %d", c.placements, generation)
					}
					for _, p := range said.Placements {
						if p.State != report.Unchanged {
							t.Errorf("%s is %s: %s", p.Work, p.State, p.Reason)
						}
					}
				}
				only(1)
				c.put("a", "worker-1", "o2", "o3")
				only(2)
				c.put("b", "worker-1", "o2")
				c.runUntilIdle(random)
				if len(c.placements) != 1 {
					t.Errorf("b is placed, though a has its object")
				}
				c.delete("a")
				c.runUntilIdle(random)
				if len(c.placements) != 1 || c.placements[key] != nil {
					t.Errorf("WorkPlacements %v, want b's alone", c.placements)
				}
			})
		}
	}
}

func TestSecondWorkPlacementOfAGroupCounts(t *testing.T) {
	for _, mode := range layout.Modes() {
		c := newCluster(t, mode, false)
		c.put("a", "worker-1", "o1")
		random := rand.New(rand.NewPCG(1, 1))
		c.runUntilIdle(random)
		work := c.works["a"]
		second := testkit.Placement(work, "worker-1")
		second.Name, second.Spec.ResourceName = "second", "second"
		second.Spec.Workloads = []kratix.Workload{{Filepath: "second.yaml", Content: kratix.Encode([]byte("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: o2\n"))}}
		c.placements[kratix.KeyOf(second)], c.dirty[kratix.KeyOf(second)] = second, c.now
		c.put("b", "worker-1", "o2")
		c.runUntilIdle(random)
		if len(c.placements) != 2 {
			t.Errorf("%s: %d WorkPlacements, want the two of a", mode, len(c.placements))
		}
	}
}
