package reconcile

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

func (w *testEnv) markDeleted(name string) {
	w.replace(name, func(d *kratix.Destination) {
		d.Spec.Cleanup, d.DeletionTimestamp = "all", &metav1.Time{Time: time.Unix(1, 0)}
	})
}

func hasOverlapFindings(r report.Report) bool {
	return len(slices.DeleteFunc(rules(r), func(rule string) bool { return rule != "KS044" })) == 2
}

func TestDeletedEmptyDestinationBlocksNoOther(t *testing.T) {
	for _, mode := range layout.Modes() {
		for _, path := range []string{"worker-1", "worker-1/sub", "/"} {
			t.Run(mode+" "+path, func(t *testing.T) {
				w := inMode(t, mode)
				w.put("a", "x")
				w.round()
				w.addDestination("worker-2", path).Spec.Filepath.Mode = mode
				r := w.round()
				if got := rules(r); !slices.Equal(got, []string{"KS044", "KS044"}) || len(r.Emptied) > 0 {
					t.Errorf("both are there: findings %v, emptied %v", got, r.Emptied)
				}
				w.markDeleted("worker-2")
				w.put("a", "y")
				r = w.round()
				w.expect(r, map[string]report.State{"a": report.Placed})
				if !slices.Equal(r.Emptied, []string{"worker-2"}) {
					t.Errorf("emptied %v", r.Emptied)
				}
			})
		}
	}
}

func TestDeletedDestinationWithPlacementsBlocksOthers(t *testing.T) {
	for _, mode := range layout.Modes() {
		for name, work := range map[string]string{"a record": "a", "a record with a cut name": strings.Repeat("a", 210)} {
			t.Run(mode+" "+name, func(t *testing.T) {
				w := inMode(t, mode)
				w.put(work, "x")
				w.round()
				before := w.paths()
				w.addDestination("worker-2", "worker-1").Spec.Filepath.Mode = mode
				w.markDeleted("worker-1")
				r := w.round()
				if got := w.paths(); !hasOverlapFindings(r) || len(r.Emptied) > 0 || !slices.Equal(got, before) {
					t.Errorf("findings %v, emptied %v, store has %v", r.Findings, r.Emptied, got)
				}
			})
		}
	}
	w := newEnv(t) // Kratix has written the placement, without a record
	w.addWorkPlacement(w.put("a", "x"), "worker-1")
	w.write(map[string]string{aFile: testkit.ConfigMaps("x")})
	w.addDestination("worker-2", "worker-1")
	w.markDeleted("worker-1")
	if r := w.round(); !hasOverlapFindings(r) || len(r.Emptied) > 0 {
		t.Errorf("findings %v, emptied %v", r.Findings, r.Emptied)
	}
}

func TestOneOfTwoDeletedDestinationsIsEmptied(t *testing.T) {
	w := newEnv(t)
	w.round()
	w.addDestination("worker-2", "worker-1")
	w.markDeleted("worker-1")
	w.markDeleted("worker-2")
	r := w.round()
	if got := w.allPaths(); len(r.Findings)+len(got) > 0 || len(r.Emptied) != 2 {
		t.Errorf("findings %v, emptied %v, covered %v, store has %v", r.Findings, r.Emptied, r.Stores, got)
	}
}

func TestDestinationWithoutALayoutIsEmptiedIfItHasNothing(t *testing.T) {
	for name, damage := range map[string]func(*kratix.Destination){
		"a path that leads out": func(d *kratix.Destination) { d.Spec.Path = "../worker-1" },
		"an unknown mode":       func(d *kratix.Destination) { d.Spec.Filepath.Mode = "nested" },
	} {
		for _, has := range []bool{false, true} {
			w := newEnv(t)
			if has {
				w.put("a", "x")
				w.round()
			}
			w.replace("worker-1", damage)
			if r := w.round(); len(r.Emptied) > 0 {
				t.Errorf("%s: it is not deleted, and emptied: %v", name, r.Emptied)
			}
			w.markDeleted("worker-1")
			if r := w.round(); slices.Contains(r.Emptied, "worker-1") == has {
				t.Errorf("%s, with a placement: %v; emptied %v", name, has, r.Emptied)
			}
		}
	}
}

func TestOnlyADestinationThatWasSeenBeingDeletedIsEmptied(t *testing.T) {
	for _, mode := range layout.Modes() {
		w := inMode(t, mode)
		w.replace("worker-1", func(d *kratix.Destination) { d.Spec.Cleanup = "all" })
		w.put("a", "x")
		for range 2 {
			if r := w.round(); len(r.Emptied) > 0 {
				t.Errorf("%s: emptied %v", mode, r.Emptied)
			}
		}
		w.markDeleted("worker-1")
		for range 2 {
			if r := w.round(); !slices.Equal(r.Emptied, []string{"worker-1"}) || len(w.allPaths()) > 0 {
				t.Errorf("%s: emptied %v, store has %v", mode, r.Emptied, w.allPaths())
			}
		}
	}
	w := newEnv(t)
	w.put("a", "x")
	w.round()
	w.replace("worker-1", func(d *kratix.Destination) { d.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)} })
	if r := w.round(); len(r.Emptied) > 0 {
		t.Errorf("its files stay: emptied %v", r.Emptied)
	}
	w.markDeleted("worker-1")
	w.finish = func(_ context.Context, parts []statestore.StoreChanges) []statestore.Outcome {
		return []statestore.Outcome{{Err: statestore.ErrPending}}
	}
	if r := w.round(); len(r.Emptied) > 0 {
		t.Errorf("it is not written yet: emptied %v", r.Emptied)
	}
}
