package rollout_test

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/rollout"
)

func morning() time.Time { return time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC) } // a Monday

func labelled(wave string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{"wave": wave}}
}

// twoWaves returns a Rollout with a canary wave, and a wave with all other Destinations.
func twoWaves(change func(*kratix.Rollout)) *rollout.Spec {
	r := &kratix.Rollout{}
	r.Name = "redis"
	r.Spec.Waves = []kratix.RolloutWave{
		{Name: "canary", Destinations: labelled("canary"), Gate: "healthy", Soak: "10m", Deadline: "30m"},
		{Name: "all", MaxConcurrent: "1", Gate: "applied"},
	}
	if change != nil {
		change(r)
	}
	spec, err := rollout.Compile(r)
	if err != nil {
		panic(err)
	}
	return spec
}

// on returns a target with one Work.
func on(name, wave string, unit rollout.Unit) rollout.Target {
	unit.Wanted = "new"
	return rollout.Target{Destination: name, Labels: rollout.Labels{"wave": wave}, Units: []rollout.Unit{unit}}
}

func old() rollout.Unit { return rollout.Unit{Stored: "old"} }

// written returns a Work that the run has written some minutes ago.
func written(minutes int) rollout.Unit {
	at := morning().Add(-time.Duration(minutes) * time.Minute)
	return rollout.Unit{Stored: "new", Mark: rollout.Mark{Run: morning().Add(-time.Hour), Since: at, Previous: true}}
}

func healthy(minutes int) rollout.Unit {
	u := written(minutes)
	u.Applied, u.Healthy = u.Mark.Since, u.Mark.Since
	return u
}

func failing(minutes int) rollout.Unit {
	u := written(minutes)
	u.Failure, u.FailedAt = "image not found", u.Mark.Since
	return u
}

func plan(spec *rollout.Spec, targets ...rollout.Target) rollout.Result {
	return rollout.Plan(rollout.Input{Spec: spec, Targets: targets, Revision: "new", Now: morning(), Watching: morning().Add(-24 * time.Hour)})
}

func actions(made rollout.Result) string {
	var all []string
	for _, d := range made.Decisions {
		all = append(all, string(d.Action))
	}
	return strings.Join(all, " ")
}

func TestPlan(t *testing.T) {
	rollBack := func(r *kratix.Rollout) { r.Spec.OnFailure = "rollback" }
	stable := func(r *kratix.Rollout) { r.Spec.NewDestinations = "stable" }
	undone := old()
	undone.Undone = true
	mixed := written(1)
	mixed.Mixed = true
	superseded := written(5)
	superseded.Stored = "other"
	tests := map[string]struct {
		change  func(*kratix.Rollout)
		targets []rollout.Target
		actions string
		phase   rollout.Phase
		reason  string
	}{
		"the first wave begins":                  {nil, []rollout.Target{on("a", "canary", old()), on("b", "", old()), on("c", "", old())}, "write wait wait", rollout.Progressing, "wave canary"},
		"the second waits for reports":           {nil, []rollout.Target{on("a", "canary", written(5)), on("b", "", old())}, "write wait", rollout.Progressing, "wave canary: 1 of 1 Destinations are updated, 1 are to be healthy"},
		"the second waits while the first soaks": {nil, []rollout.Target{on("a", "canary", healthy(5)), on("b", "", old())}, "write wait", rollout.Progressing, "it soaks until 2026-03-02T08:05:00Z"},
		"the second begins, one at a time":       {nil, []rollout.Target{on("a", "canary", healthy(15)), on("b", "", old()), on("c", "", old())}, "write write wait", rollout.Progressing, "wave all"},
		"the next one follows":                   {nil, []rollout.Target{on("a", "canary", healthy(15)), on("b", "", healthy(1)), on("c", "", old())}, "write write write", rollout.Progressing, "wave all"},
		"all are done":                           {nil, []rollout.Target{on("a", "canary", healthy(15)), on("b", "", healthy(1))}, "write write", rollout.Complete, ""},
		"a failure stops it":                     {nil, []rollout.Target{on("a", "canary", failing(5)), on("b", "", old())}, "write wait", rollout.Failed, "in wave canary 1 of 1 Destinations have failed, and 0 may: a: image not found"},
		"no report in time stops it":             {nil, []rollout.Target{on("a", "canary", written(31)), on("b", "", old())}, "write wait", rollout.Failed, "a: its agent did not report it as healthy within 30m0s"},
		"a failure rolls back":                   {rollBack, []rollout.Target{on("a", "canary", failing(5)), on("b", "", old())}, "restore wait", rollout.RollingBack, "image not found"},
		"the last wave is rolled back first":     {rollBack, []rollout.Target{on("a", "canary", healthy(30)), on("b", "", failing(1)), on("c", "", old())}, "write restore wait", rollout.RollingBack, ""},
		"after a rollback nobody changes":        {rollBack, []rollout.Target{on("a", "canary", undone), on("b", "", old())}, "wait wait", rollout.RolledBack, "it was rolled back"},
		"a paused one changes nobody":            {func(r *kratix.Rollout) { r.Spec.Paused = true }, []rollout.Target{on("a", "canary", old())}, "wait", rollout.Paused, ""},
		"an aborted one is rolled back":          {func(r *kratix.Rollout) { r.Annotations = map[string]string{kratix.AbortAnnotation: "new"} }, []rollout.Target{on("a", "canary", healthy(30)), on("b", "", old())}, "restore wait", rollout.RollingBack, "it was aborted"},
		"an approval is awaited":                 {func(r *kratix.Rollout) { r.Spec.Waves[0].Approval = true }, []rollout.Target{on("a", "canary", old())}, "wait", rollout.Waiting, "it waits for the approval of new/canary"},
		"an approved wave begins": {func(r *kratix.Rollout) {
			r.Spec.Waves[0].Approval = true
			r.Annotations = map[string]string{kratix.ApproveAnnotation: "x/y, new/canary"}
		}, []rollout.Target{on("a", "canary", old())}, "write", rollout.Progressing, ""},
		"a window is awaited": {func(r *kratix.Rollout) {
			r.Spec.Waves[0].Windows = []kratix.RolloutWindow{{Start: "0 22 * * *", Duration: "2h", TimeZone: "Europe/Berlin"}}
		}, []rollout.Target{on("a", "canary", old())}, "wait", rollout.Waiting, "its next window opens at 2026-03-02T21:00:00Z"},
		"a window is open": {func(r *kratix.Rollout) {
			r.Spec.Waves[0].Windows = []kratix.RolloutWindow{{Start: "0 22 * * *", Duration: "2h"}, {Start: "30 7 * * 1", Duration: "1h"}}
		}, []rollout.Target{on("a", "canary", old())}, "write", rollout.Progressing, ""},
		"a newer change begins with the first wave":   {nil, []rollout.Target{on("a", "canary", superseded), on("b", "", old())}, "write wait", rollout.Progressing, "wave canary"},
		"a former content begins with the first wave": {nil, []rollout.Target{on("a", "canary", superseded), on("b", "", superseded), on("c", "", rollout.Unit{Stored: "new"})}, "write wait write", rollout.Progressing, "wave canary"},
		"one that joins is last":                      {nil, []rollout.Target{on("a", "canary", rollout.Unit{}), on("b", "", old())}, "wait write", rollout.Progressing, "wave all"},
		"one that joins gets the former content":      {stable, []rollout.Target{on("a", "canary", rollout.Unit{}), on("b", "", old())}, "stable write", rollout.Progressing, ""},
		"one that joins afterwards gets the latest":   {stable, []rollout.Target{on("a", "canary", rollout.Unit{}), on("b", "", healthy(9))}, "write write", rollout.Progressing, "joined"},
		"the first installation is in waves":          {nil, []rollout.Target{on("a", "canary", rollout.Unit{}), on("b", "", rollout.Unit{})}, "write wait", rollout.Progressing, ""},
		"an interrupted write ends":                   {func(r *kratix.Rollout) { r.Spec.Paused = true }, []rollout.Target{on("a", "canary", mixed), on("b", "", old())}, "write wait", rollout.Paused, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			made := plan(twoWaves(test.change), test.targets...)
			if got := actions(made); got != test.actions || made.Phase != test.phase || !strings.Contains(made.Reason, test.reason) {
				t.Errorf("got %s, %s, %q; want %s, %s, %q", got, made.Phase, made.Reason, test.actions, test.phase, test.reason)
			}
			for i, d := range made.Decisions {
				if d.Action != rollout.Write && d.Reason == "" {
					t.Errorf("target %d has no reason", i)
				}
			}
		})
	}
}

func TestDestinationsOutsideOfAllWavesAreLast(t *testing.T) {
	spec := twoWaves(func(r *kratix.Rollout) { r.Spec.Waves[1].Destinations = labelled("all") })
	made := plan(spec, on("a", "canary", healthy(15)), on("b", "all", healthy(1)), on("c", "", old()), on("d", "", old()))
	if got := actions(made); got != "write write write wait" || len(made.Waves) != 3 || made.Waves[2].Name != rollout.RestWave {
		t.Errorf("got %s, %+v", got, made.Waves)
	}
}

func TestPlanIsDueWhenItChangesByItself(t *testing.T) {
	made := plan(twoWaves(nil), on("a", "canary", healthy(5)), on("b", "", old()))
	if want := morning().Add(5 * time.Minute); !made.Due.Equal(want) {
		t.Errorf("soaking: due at %s, want %s", made.Due, want)
	}
	made = plan(twoWaves(nil), on("a", "canary", written(5)), on("b", "", old()))
	if want := morning().Add(25 * time.Minute); !made.Due.Equal(want) {
		t.Errorf("in flight: due at %s, want %s", made.Due, want)
	}
}

func TestFinishedRolloutDoesNotFailAfterwards(t *testing.T) {
	spec := twoWaves(func(r *kratix.Rollout) { r.Spec.OnFailure = "rollback" })
	late := written(3 * 24 * 60)
	late.Failure, late.FailedAt = "node lost", morning()
	in := rollout.Input{Spec: spec, Targets: []rollout.Target{on("a", "canary", late)}, Revision: "new", Now: morning(), Watching: morning().Add(-time.Hour)}
	if made := rollout.Plan(in); made.Phase != rollout.Complete {
		t.Errorf("a failure days later: %s: %s", made.Phase, made.Reason)
	}
	in.Targets[0].Units[0].Failure = ""
	if made := rollout.Plan(in); made.Phase != rollout.Complete {
		t.Errorf("after a restart without reports: %s: %s", made.Phase, made.Reason)
	}
}

func TestEarlierWaveNeedNotReportAgainAfterARestart(t *testing.T) {
	in := rollout.Input{
		Spec: twoWaves(nil), Targets: []rollout.Target{on("a", "canary", written(50)), on("b", "", written(9)), on("c", "", old())},
		Revision: "new", Now: morning(), Watching: morning().Add(-time.Minute),
	}
	made := rollout.Plan(in)
	if got := actions(made); got != "write write wait" || !made.Waves[0].Complete {
		t.Errorf("got %s, %+v", got, made.Waves)
	}
	in.Watching = morning().Add(-time.Hour)
	if made := rollout.Plan(in); made.Waves[0].Complete && made.Phase != rollout.Failed {
		t.Errorf("without a restart, the silent canary counts as %s", made.Phase)
	}
}

func TestRemovalIsInReverseOrderOfWaves(t *testing.T) {
	spec := twoWaves(nil)
	from := []rollout.Removal{{Destination: "a", Labels: rollout.Labels{"wave": "canary"}}, {Destination: "b"}}
	reasons, _ := rollout.PlanRemoval(spec, from, false, morning())
	if reasons[0] != "Rollout redis removes it after wave all" || reasons[1] != "" {
		t.Errorf("got %q", reasons)
	}
	reasons, _ = rollout.PlanRemoval(spec, from[:1], false, morning())
	if reasons[0] != "" {
		t.Errorf("the first wave alone: %q", reasons)
	}
	reasons, _ = rollout.PlanRemoval(spec, from, true, morning())
	if reasons[0] == "" || reasons[1] == "" {
		t.Errorf("with requests: %q", reasons)
	}
}
