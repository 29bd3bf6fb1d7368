package reconcile

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

func damages() map[string]string {
	return map[string]string{"no record": "no: record\n", "no YAML": "{[", "an object": testkit.ConfigMaps("damaged"), "empty": ""}
}

func TestDamagedRecordIsRewritten(t *testing.T) {
	for _, mode := range []string{kratix.NestedByMetadata, kratix.AggregatedYAML, kratix.None} {
		for name, damage := range damages() {
			t.Run(mode+", "+name, func(t *testing.T) {
				w := inMode(t, mode)
				w.put("a", "x")
				w.putFiles("b", map[string]string{"b.yaml": testkit.ConfigMaps("y")})
				w.round()
				before := w.dump()
				w.write(map[string]string{w.recordPath("default", "a"): damage})
				told := w.round()
				if states(told)["a"] != report.Placed || !slices.Equal(rules(told), []string{"KS063"}) {
					t.Errorf("told %v, findings %v", states(told), told.Findings)
				}
				if got := w.dump(); got != before {
					t.Errorf("the store has\n%s, want\n%s", got, before)
				}
				w.expect(w.round(), map[string]report.State{"a": report.Unchanged, "b": report.Unchanged})
			})
		}
	}
}

func TestChangedOrDeletedFilesAreRestored(t *testing.T) {
	for _, mode := range []string{kratix.NestedByMetadata, kratix.AggregatedYAML, kratix.None} {
		w := inMode(t, mode)
		w.put("a", "x")
		w.putFiles("b", map[string]string{"b.yaml": testkit.ConfigMaps("y")})
		w.round()
		before := w.dump()
		for _, path := range w.allPaths() {
			if strings.Contains(path, "canary") {
				continue // an existing canary stays as it is
			}
			for what, change := range map[string]statestore.ChangeSet{
				"changed": {Write: []tree.File{{Path: testkit.Path(path), Content: []byte("changed: true\n")}}}, "deleted": {Remove: []tree.Path{testkit.Path(path)}},
			} {
				if mode == kratix.None && what == "deleted" && strings.Contains(path, ".kratix/") {
					continue // no other record lists the files
				}
				change.Base = w.state().Revision
				if _, err := w.store.Apply(t.Context(), change); err != nil {
					t.Fatal(err)
				}
				w.round()
				if got := w.dump(); got != before {
					t.Errorf("mode %s, %s was %s: the store has\n%s", mode, path, what, got)
				}
			}
		}
	}
}

func TestDamagedRecordPlacesNothingTwice(t *testing.T) {
	for name, damage := range damages() {
		t.Run(name, func(t *testing.T) {
			w := newEnv(t)
			w.put("a", "x").Spec.WorkloadGroups[0].DestinationSelectors = []kratix.Selector{{MatchLabels: map[string]string{"fits": "yes"}}}
			first := w.snapshot.Destinations[0]
			first.Labels = map[string]string{"fits": "yes"}
			w.round()
			w.addDestination("worker-2", "worker-2").Labels = map[string]string{"fits": "yes"}
			first.Labels = nil
			w.write(map[string]string{aRecord: damage})
			result := w.round()
			if len(result.Placements) != 1 || result.Placements[0].Destination != "worker-1" || !result.Placements[0].Misplaced {
				t.Errorf("placements %+v", result.Placements)
			}
			if got := w.paths(); !slices.Equal(got, []string{aRecord, aFile}) || !strings.Contains(w.content(aRecord), "name: a.worker-1-5058f") {
				t.Errorf("the store has %v", got)
			}
		})
	}
}

func TestDamagedRecordOfSomethingElseStays(t *testing.T) {
	for name, change := range map[string]func(*testEnv){
		"its Work is gone":           func(w *testEnv) { w.remove("a") },
		"its Work has another group": func(w *testEnv) { w.put("a", "y").Spec.WorkloadGroups[0].ID = kratix.GroupID("other") },
		"its Work cannot be read": func(w *testEnv) {
			w.remove("a")
			w.snapshot.Rejected = []kratix.Key{{Namespace: "default", Name: "a"}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newEnv(t)
			w.put("a", "x")
			w.round()
			w.write(map[string]string{aRecord: "no: record\n"})
			change(w)
			w.round()
			if got := w.content(aRecord); got != "no: record\n" || !slices.Contains(w.paths(), aFile) {
				t.Errorf("the record is %q; the store has %v", got, w.paths())
			}
		})
	}
}

func TestMoveContinuesDespiteADamagedRecord(t *testing.T) {
	for _, damaged := range []string{aRecord, "worker-2/.kratix/57.kratix/default-a.worker-2-5058f.57801997f69de8d3.yaml"} {
		for rounds := range 3 {
			t.Run(fmt.Sprint(damaged, " after ", rounds), func(t *testing.T) {
				w := newEnv(t)
				w.put("a", "x").Spec.WorkloadGroups[0].DestinationSelectors = []kratix.Selector{{MatchLabels: map[string]string{"fits": "yes"}}}
				w.snapshot.Destinations[0].Labels = map[string]string{"fits": "yes"}
				w.round()
				w.snapshot.Destinations[0].Labels = nil
				w.addDestination("worker-2", "worker-2").Labels = map[string]string{"fits": "yes"}
				w.policy.OnMisplaced = scheduler.Move
				for range rounds {
					w.round()
				}
				if slices.Contains(w.paths(), damaged) {
					w.write(map[string]string{damaged: "no: record\n"})
				}
				for range 5 {
					w.round()
				}
				want := []string{"worker-2/.kratix/57.kratix/default-a.worker-2-5058f.57801997f69de8d3.yaml", "worker-2/resources/default/redis/a/5058f/maps.yaml"}
				if got := w.paths(); !slices.Equal(got, want) || w.round().Changes() {
					t.Errorf("the store has %v", got)
				}
			})
		}
	}
}
