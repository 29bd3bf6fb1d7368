package projected_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

func TestNoCommitOfKratixHasAnObjectTwiceInLargerClusters(t *testing.T) {
	testkit.Slow(t)
	for _, mode := range layout.Modes() {
		for _, hidden := range []bool{false, true} {
			for _, moves := range []scheduler.OnMisplaced{scheduler.Keep, scheduler.Move} {
				for seed := range testkit.Seeds(2) {
					t.Run(fmt.Sprintf("%s/hidden=%v/%v/%d", mode, hidden, moves, seed), func(t *testing.T) {
						c := newCluster(t, mode, hidden)
						c.policy.OnMisplaced = moves
						c.restart()
						random := rand.New(rand.NewPCG(seed, 7))
						for range 150 {
							c.changeAtRandom(random)
							if random.IntN(3) > 0 {
								c.round()
							}
							for range random.IntN(3) {
								c.kratixWrites(random)
							}
							c.now = c.now.Add(time.Second)
						}
						c.checkNothingWaits(c.runUntilIdle(random))
						c.checkPlacedOnce()
					})
				}
			}
		}
	}
}

func (c *cluster) changeAtRandom(random *rand.Rand) {
	name := fmt.Sprint("w", random.IntN(6))
	switch what := random.IntN(20); {
	case what < 2:
		c.delete(name)
	case what < 10:
		c.putGroups(name, random)
	case what == 10:
		at := random.IntN(len(c.destinations))
		flipped := c.destinations[at].DeepCopy()
		flipped.Labels = map[string]string{"on": fmt.Sprint("worker-", 1+random.IntN(2))}
		c.destinations = slices.Clone(c.destinations)
		c.destinations[at] = flipped
	case what == 11 && (!c.hidden || len(c.dirty) == 0): // if the store is not read, a restart loses the former files
		c.restart()
	}
}

func (c *cluster) putGroups(name string, random *rand.Rand) {
	objects := random.Perm(6)
	c.put(name, fmt.Sprint("worker-", 1+random.IntN(2)), fmt.Sprint("o", objects[0]))
	work := c.works[name]
	first := &work.Spec.WorkloadGroups[0]
	if random.IntN(2) == 0 {
		first.DestinationSelectors = nil // any Destination, or every Destination for a dependency
	}
	if random.IntN(2) == 0 {
		second := *first.DeepCopy()
		second.Directory, second.ID = "more", kratix.GroupID("more")
		object := fmt.Sprint("o", objects[1])
		second.Workloads = []kratix.Workload{{
			Filepath: "more/" + name + "-" + object + ".yaml", Content: kratix.Encode([]byte("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + object + "\n")),
		}}
		work.Spec.WorkloadGroups = append(work.Spec.WorkloadGroups, second)
	}
	if name == "w0" || name == "w1" {
		work.Spec.ResourceName = ""
	}
}

func (c *cluster) checkPlacedOnce() {
	c.t.Helper()
	on := map[string]string{}
	for _, p := range c.placements {
		if p.IsDependency() {
			continue
		}
		group := p.Work().Name + " " + p.Spec.ID
		if other, twice := on[group]; twice {
			c.t.Errorf("the group %s is on %s and on %s", group, other, p.Spec.TargetDestinationName)
		}
		on[group] = p.Spec.TargetDestinationName
	}
}
