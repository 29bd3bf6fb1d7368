package telemetry

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

func TestMetricsFollowRollouts(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	m := NewMetrics(registry, "v1")
	round := func(phase, want string) {
		t.Helper()
		r := report.Report{}
		if phase != "" {
			r.Rollouts = []report.Rollout{{Name: "operators", Promise: "redis", Phase: phase, Waves: []report.RolloutWave{
				{Name: "canary", Destinations: 1, Updated: 1, Failed: 1}, {Name: "all", Destinations: 4, Updated: 1},
			}, Destinations: []report.RolloutDestination{{Since: time.Unix(7, 0)}, {Since: time.Unix(5, 0)}, {}}}}
		}
		m.Round(r, nil, time.Now(), time.Second)
		if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "kratix_schedule_rollout_phase"); err != nil {
			t.Error(err)
		}
	}
	head := "# HELP kratix_schedule_rollout_phase 1 for the phase of a Rollout: Progressing, Waiting, Paused, Failed, RollingBack, RolledBack, Complete.\n" +
		"# TYPE kratix_schedule_rollout_phase gauge\n"
	round("Progressing", head+`kratix_schedule_rollout_phase{phase="Progressing",promise="redis",rollout="operators"} 1`+"\n")
	for state, want := range map[string]float64{"updated": 2, "pending": 3, "failed": 1} {
		if got := testutil.ToFloat64(m.rollouts.destinations.WithLabelValues("operators", "redis", state)); got != want {
			t.Errorf("%v Destinations are %s, want %v", got, state, want)
		}
	}
	if got := testutil.ToFloat64(m.rollouts.changed.WithLabelValues("operators", "redis")); got != 7 {
		t.Errorf("changed at %v", got)
	}
	round("Failed", head+`kratix_schedule_rollout_phase{phase="Failed",promise="redis",rollout="operators"} 1`+"\n")
	round("", "")
}
