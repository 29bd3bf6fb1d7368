package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

type rolloutMetrics struct{ phase, destinations, changed *prometheus.GaugeVec }

func newRolloutMetrics(define *definer) *rolloutMetrics {
	const rolloutLabel, promiseLabel = "rollout", "promise"
	return &rolloutMetrics{
		phase: define.gauge("rollout_phase", "1 for the phase of a Rollout: Progressing, Waiting, Paused, Failed, RollingBack, RolledBack, Complete.", rolloutLabel, promiseLabel, "phase"),
		destinations: define.gauge("rollout_destinations", "Destinations of a Rollout by state: updated (with the wanted content) or pending, and failed, which may be either.",
			rolloutLabel, promiseLabel, "state"),
		changed: define.gauge("rollout_changed_timestamp_seconds", "When a Rollout last changed a Destination, in seconds since 1970. There is no series before that.", rolloutLabel, promiseLabel),
	}
}

func (m *rolloutMetrics) set(r report.Report) {
	m.phase.Reset()
	m.destinations.Reset()
	m.changed.Reset()
	for i := range r.Rollouts {
		state := &r.Rollouts[i]
		m.phase.WithLabelValues(state.Name, state.Promise, state.Phase).Set(1)
		var changed time.Time
		for _, d := range state.Destinations {
			if d.Since.After(changed) {
				changed = d.Since
			}
		}
		if !changed.IsZero() {
			m.changed.WithLabelValues(state.Name, state.Promise).Set(float64(changed.Unix()))
		}
		updated, pending, failed := 0, 0, 0
		for _, wave := range state.Waves {
			updated, failed, pending = updated+wave.Updated, failed+wave.Failed, pending+wave.Destinations-wave.Updated
		}
		for name, n := range map[string]int{"updated": updated, "pending": pending, "failed": failed} {
			m.destinations.WithLabelValues(state.Name, state.Promise, name).Set(float64(n))
		}
	}
}
