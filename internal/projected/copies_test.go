package projected_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

func TestMatchingOneOfTwoWorkPlacementsStays(t *testing.T) {
	for _, mode := range layout.Modes() {
		for _, fits := range []string{"worker-1", "worker-2"} {
			t.Run(fmt.Sprint(mode, "/", fits), func(t *testing.T) {
				c := newCluster(t, mode, false)
				c.put("a", fits, "o1")
				work := c.works["a"]
				for _, d := range c.destinations {
					p := testkit.Placement(work, d.Name)
					c.placements[kratix.KeyOf(p)], c.dirty[kratix.KeyOf(p)] = p, c.now
				}
				random := rand.New(rand.NewPCG(1, 1))
				for len(c.dirty) > 0 {
					c.kratixWrites(random) // each call writes one WorkPlacement
				}
				c.runUntilIdle(random)
				if len(c.placements) != 1 {
					t.Fatalf("%d WorkPlacements are left, want one", len(c.placements))
				}
				for _, p := range c.placements {
					if p.Spec.TargetDestinationName != fits {
						t.Errorf("it stays on %s, which does not fit, want %s", p.Spec.TargetDestinationName, fits)
					}
				}
			})
		}
	}
}
