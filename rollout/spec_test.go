package rollout_test

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/rollout"
)

func TestInvalidSpecsHaveOneClearMessage(t *testing.T) {
	wave := func(change func(*kratix.RolloutWave)) func(*kratix.Rollout) {
		return func(r *kratix.Rollout) { change(&r.Spec.Waves[0]) }
	}
	window := func(start, duration, zone string) func(*kratix.Rollout) {
		return wave(func(w *kratix.RolloutWave) {
			w.Windows = []kratix.RolloutWindow{{Start: start, Duration: duration, TimeZone: zone}}
		})
	}
	tests := map[string]func(*kratix.Rollout){
		"spec.waves has 0 waves; it must have 1 to 64":                                               func(r *kratix.Rollout) { r.Spec.Waves = nil },
		"spec.waves has 65 waves; it must have 1 to 64":                                              func(r *kratix.Rollout) { r.Spec.Waves = make([]kratix.RolloutWave, rollout.MaxWaves+1) },
		`spec.onFailure: "retry" is not known; use stop or rollback`:                                 func(r *kratix.Rollout) { r.Spec.OnFailure = "retry" },
		`spec.newDestinations: "none" is not known; use latest or stable`:                            func(r *kratix.Rollout) { r.Spec.NewDestinations = "none" },
		`spec.works.type: "all" is not known; use dependencies or requests`:                          func(r *kratix.Rollout) { r.Spec.Works.Type = "all" },
		`spec.works.selector: matchExpressions: the operator "Like" of a is not known`:               func(r *kratix.Rollout) { r.Spec.Works.Selector = expression("Like") },
		`spec.waves[1]: the name "a" is taken`:                                                       func(r *kratix.Rollout) { r.Spec.Waves = append(r.Spec.Waves, r.Spec.Waves[0]) },
		`spec.waves[0]: the name "rest" is taken`:                                                    wave(func(w *kratix.RolloutWave) { w.Name = "rest" }),
		`spec.waves[0]: name: "a,b" is empty, or has a comma, a slash or a space`:                    wave(func(w *kratix.RolloutWave) { w.Name = "a,b" }),
		`spec.waves[0]: gate: "ready" is not known; use written or applied or healthy`:               wave(func(w *kratix.RolloutWave) { w.Gate = "ready" }),
		`spec.waves[0]: maxConcurrent: "0" is neither a number from 1 on nor a percentage`:           wave(func(w *kratix.RolloutWave) { w.MaxConcurrent = "0" }),
		`spec.waves[0]: maxConcurrent: "101%" is neither`:                                            wave(func(w *kratix.RolloutWave) { w.MaxConcurrent = "101%" }),
		`spec.waves[0]: maxFailures must not be negative`:                                            wave(func(w *kratix.RolloutWave) { w.MaxFailures = -1 }),
		`spec.waves[0]: soak: "1 day" is not a duration like 30m`:                                    wave(func(w *kratix.RolloutWave) { w.Soak = "1 day" }),
		`spec.waves[0]: deadline: "-1m" is not a duration`:                                           wave(func(w *kratix.RolloutWave) { w.Deadline = "-1m" }),
		`spec.waves[0]: destinations: matchExpressions: the operator "Like"`:                         wave(func(w *kratix.RolloutWave) { w.Destinations = expression("Like") }),
		`spec.waves[0]: windows[0]: start must have the five fields of cron, such as "0 22 * * 1-5"`: window("TZ=0", "1h", ""),
		`spec.waves[0]: windows[0]: start: end of range`:                                             window("0 99 * * *", "1h", ""),
		`spec.waves[0]: windows[0]: duration must be at least 1m`:                                    window("0 1 * * *", "1s", ""),
		`spec.waves[0]: windows[0]: timeZone: "Mars/Olympus" is not known`:                           window("0 1 * * *", "1h", "Mars/Olympus"),
		`spec.waves[0]: windows has 33 entries; at most 32 are allowed`:                              wave(func(w *kratix.RolloutWave) { w.Windows = make([]kratix.RolloutWindow, rollout.MaxWindows+1) }),
	}
	for want, change := range tests {
		t.Run(want, func(t *testing.T) {
			r := &kratix.Rollout{}
			r.Spec.Waves = []kratix.RolloutWave{{Name: "a"}}
			change(r)
			if _, err := rollout.Compile(r); err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func expression(operator string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: metav1.LabelSelectorOperator(operator), Values: []string{"b"}}}}
}

func TestWorksAreSelected(t *testing.T) {
	r := &kratix.Rollout{}
	r.Spec.Works = kratix.RolloutWorks{PromiseName: "redis", Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"tier": "gold"}}}
	works, err := rollout.CompileWorks(r)
	if err != nil {
		t.Fatal(err)
	}
	gold := map[string]string{"tier": "gold"}
	if !works.Selects("redis", true, gold) || works.Selects("redis", false, gold) || works.Selects("kafka", true, gold) || works.Selects("redis", true, nil) {
		t.Error("it selects other Works than it should")
	}
}

func FuzzWindow(f *testing.F) {
	f.Add("0 22 * * 1-5", "4h", "Europe/Berlin")
	f.Add("@every 1ns", "1h", "")
	f.Add("0 0 30 2 *", "1h", "Local")
	f.Fuzz(func(_ *testing.T, start, duration, zone string) {
		r := &kratix.Rollout{}
		r.Spec.Waves = []kratix.RolloutWave{{Name: "a", Windows: []kratix.RolloutWindow{{Start: start, Duration: duration, TimeZone: zone}}}}
		if spec, err := rollout.Compile(r); err == nil {
			rollout.Plan(rollout.Input{Spec: spec, Targets: []rollout.Target{on("a", "", old())}, Now: time.Unix(1e9, 0)})
		}
	})
}
