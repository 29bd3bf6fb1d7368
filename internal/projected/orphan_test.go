package projected_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
)

func TestBlockedPlacementNamesTheWork(t *testing.T) {
	for _, mode := range layout.Modes() {
		c := newCluster(t, mode, false)
		c.put("a", "worker-1", "o1", "o2")
		c.runUntilIdle(rand.New(rand.NewPCG(1, 1)))
		c.put("a", "worker-1", "o2")
		c.put("b", "worker-1", "o1")
		said := c.round()
		if len(said.Findings) != 1 || len(said.Findings[0].Related) != 1 {
			t.Fatalf("%s: %+v", mode, said.Findings)
		}
		want := finding.Related{Place: finding.Place{Object: "Work default/a", File: said.Findings[0].Related[0].Place.File, Line: 1}, Message: "a Work that gives it up, whose WorkPlacement Kratix has not written yet"}
		if got := said.Findings[0].Related[0]; got != want {
			t.Errorf("%s: it names %+v, want %+v", mode, got, want)
		}
	}
}

func TestBlockedPlacementNamesTheWorkPlacement(t *testing.T) {
	for name, test := range map[string]struct {
		happens func(*cluster, *kratix.WorkPlacement)
		role    string
		fix     string
	}{
		"an orphan": {
			func(c *cluster, p *kratix.WorkPlacement) { c.orphans = append(c.orphans, kratix.KeyOf(p)) },
			"a WorkPlacement whose Work is gone", "Delete WorkPlacement default/%s, whose Work is gone: nothing else deletes it.",
		},
		"one of another name": {
			func(c *cluster, p *kratix.WorkPlacement) {
				delete(c.placements, kratix.KeyOf(p))
				p.Name = "by-hand"
				c.orphans = append(c.orphans, kratix.KeyOf(p))
			},
			"a WorkPlacement whose Work is gone", "Delete WorkPlacement default/%s, whose Work is gone: nothing else deletes it.",
		},
		"one without a Work": {
			func(c *cluster, p *kratix.WorkPlacement) {
				delete(c.placements, kratix.KeyOf(p))
				p.Name, p.Labels = "by-hand", nil
			},
			"a WorkPlacement without a Work", "",
		},
		"one being deleted": {
			func(c *cluster, p *kratix.WorkPlacement) { p.DeletionTimestamp = &metav1.Time{Time: c.now} },
			"a WorkPlacement that gives it up, which Kratix has not written yet", "",
		},
	} {
		for _, mode := range layout.Modes() {
			for _, hidden := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/hidden=%v", name, mode, hidden), func(t *testing.T) {
					c := newCluster(t, mode, hidden)
					c.put("a", "worker-1", "o1")
					c.runUntilIdle(rand.New(rand.NewPCG(1, 1)))
					var theirs *kratix.WorkPlacement
					for _, p := range c.placements {
						theirs = p.DeepCopy()
					}
					delete(c.works, "a")
					test.happens(c, theirs)
					c.placements[kratix.KeyOf(theirs)] = theirs
					c.put("b", "worker-1", "o1")
					for range 2 {
						said := c.round()
						if len(c.placements) != 1 {
							t.Fatalf("%d WorkPlacements, want b held back", len(c.placements))
						}
						at := 0
						for at < len(said.Findings) && said.Findings[at].Rule != finding.DuplicateObject() {
							at++
						}
						if at == len(said.Findings) || len(said.Findings[at].Related) != 1 {
							t.Fatalf("no finding says why: %+v", said.Findings)
						}
						f := said.Findings[at]
						fix := test.fix
						if strings.Contains(fix, "%s") {
							fix = fmt.Sprintf(fix, theirs.Name)
						}
						if got := f.Related[0]; got.Place.Object != kratix.Describe(theirs) || got.Message != test.role || f.Fix != fix {
							t.Errorf("it says %s is %q, and to do: %q", got.Place, got.Message, f.Fix)
						}
					}
				})
			}
		}
	}
}
