package rollout_test

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/kratix-schedule/kratix-schedule/rollout"
)

// BenchmarkPlan plans 50 rollouts on 1,000 Destinations.
func BenchmarkPlan(b *testing.B) {
	const rollouts, destinations = 50, 1000
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	spec := &rollout.Spec{Name: "r"}
	for i := range 4 {
		selector, err := labels.Parse(fmt.Sprintf("wave in (w%d)", i))
		if err != nil {
			b.Fatal(err)
		}
		spec.Waves = append(spec.Waves, rollout.Wave{
			Name: fmt.Sprintf("w%d", i), Destinations: selector, Gate: rollout.Healthy, MaxConcurrent: 10, Percent: true, Soak: time.Hour, Deadline: time.Hour,
		})
	}
	in := rollout.Input{Spec: spec, Revision: "2", Now: now, Watching: now.Add(-time.Hour)}
	for i := range destinations {
		u := rollout.Unit{Wanted: "2", Stored: "1"}
		if i%5 == 0 {
			at := now.Add(-time.Minute)
			u = rollout.Unit{Wanted: "2", Stored: "2", Mark: rollout.Mark{Run: now.Add(-time.Hour), Since: at, Previous: true}, Applied: at, Healthy: at}
		}
		in.Targets = append(in.Targets, rollout.Target{
			Destination: fmt.Sprintf("d%04d", i), Labels: rollout.Labels{"wave": fmt.Sprintf("w%d", i%5), "region": "eu"}, Units: []rollout.Unit{u},
		})
	}
	for b.Loop() {
		for range rollouts {
			if made := rollout.Plan(in); made.Phase == "" {
				b.Fatal("no phase")
			}
		}
	}
}
