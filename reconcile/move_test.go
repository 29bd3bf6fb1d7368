package reconcile

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

func newPair(t *testing.T, requests int) *testEnv {
	w := newEnv(t)
	two := w.addDestination("worker-2", "worker-2")
	one := w.snapshot.Destinations[0]
	one.Labels, two.Labels = map[string]string{"env": "dev"}, map[string]string{"env": "prod"}
	put := func() {
		for i := range requests {
			name := fmt.Sprintf("r%02d", i)
			w.put(name, name).Spec.WorkloadGroups[0].DestinationSelectors = []kratix.Selector{{Source: "promise", MatchLabels: map[string]string{"env": "dev"}}}
		}
	}
	put()
	w.round()
	put()
	relabelled := func(d *kratix.Destination, env string) *kratix.Destination {
		c := *d
		c.Labels = map[string]string{"env": env}
		return &c
	}
	w.snapshot.Destinations = []*kratix.Destination{relabelled(one, "prod"), relabelled(two, "dev")}
	return w
}

func (w *testEnv) countFiles(destination string) int {
	n := 0
	for _, path := range w.paths() {
		if strings.HasPrefix(path, destination+"/resources/default") {
			n++
		}
	}
	return n
}

func TestMoveIsTwoAcknowledgedSteps(t *testing.T) {
	const requests = 20 // more than the guard would remove at once
	w := newPair(t, requests)
	result := w.round()
	if w.countFiles("worker-1") != requests || w.countFiles("worker-2") != 0 || result.Again || !slices.Contains(rules(result), "KS041") {
		t.Fatalf("without a word they have moved: %v", w.paths())
	}
	w.policy.OnMisplaced = scheduler.Move
	if result := w.round(); w.countFiles("worker-1") != requests || w.countFiles("worker-2") != requests || !result.Again {
		t.Fatalf("after the first step: %d and %d, again %v", w.countFiles("worker-1"), w.countFiles("worker-2"), result.Again)
	}
	w.policy.OnMisplaced = scheduler.Keep
	result = w.round()
	if w.countFiles("worker-1") != 0 || w.countFiles("worker-2") != requests || !result.Again || len(result.Findings) > 0 {
		t.Fatalf("after the second step: %d and %d, again %v, %v", w.countFiles("worker-1"), w.countFiles("worker-2"), result.Again, result.Findings)
	}
	for _, p := range result.Placements {
		if p.State == report.Removed && p.Reason != "it is on worker-2 now" {
			t.Errorf("%s is removed: %s", p.Work, p.Reason)
		}
	}
	if w.round(); strings.Contains(w.content("worker-2/.kratix/8a.kratix/default-r00.worker-2-5058f.8a015ed3704c817c.yaml"), "moved-from") {
		t.Error("the record still says where it comes from")
	}
	if result := w.round(); result.Changes() || result.Again {
		t.Error("there is more to do")
	}
}

func TestMoveToWhereItWouldConflictIsNotBegun(t *testing.T) {
	w := newPair(t, 1)
	w.write(map[string]string{"worker-2/resources/by-hand.yaml": testkit.ConfigMaps("r00")})
	w.policy.OnMisplaced = scheduler.Move
	w.round()
	if result := w.round(); result.Again || !slices.Contains(rules(result), "KS001") || w.countFiles("worker-1") != 1 || w.countFiles("worker-2") != 0 {
		t.Errorf("again %v, %d and %d", result.Again, w.countFiles("worker-1"), w.countFiles("worker-2"))
	}
}

func TestAnnotationThatCannotBeReadIsReported(t *testing.T) {
	w := newEnv(t)
	w.snapshot.Destinations[0].Annotations = map[string]string{scheduler.CordonAnnotation: "maybe"}
	w.put("a", "x")
	if got := rules(w.round()); !slices.Equal(got, []string{"KS040", "KS046"}) {
		t.Errorf("findings %v", got)
	}
}

func TestUnusedDependencyIsNotAFinding(t *testing.T) {
	w := newEnv(t)
	work := w.put("d", "x")
	work.Spec.ResourceName = ""
	work.Annotations = map[string]string{scheduler.DependenciesAnnotation: scheduler.OnDemand}
	w.expect(w.round(), map[string]report.State{"d": report.Unplaced})
	w.put("a", "y")
	w.expect(w.round(), map[string]report.State{"a": report.Placed, "d": report.Placed})
}

func TestObservationIsTheInputOfTheRound(t *testing.T) {
	w := newPair(t, 2)
	r := Reconciler{Source: w, Stores: w, Policy: Policy{OnMisplaced: scheduler.Move}}
	in, findings, err := r.Inspect(t.Context())
	if err != nil || len(findings) > 0 || len(in.Works) != 2 || len(in.Existing) != 2 || len(in.Destinations) != 2 || in.OnMisplaced != scheduler.Move {
		t.Errorf("%+v, %v, %v", in, findings, err)
	}
}
