package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

type agentMetrics struct {
	placements, failing *prometheus.GaugeVec
	// reported contains the Destinations with series. failures contains the outcomes of failing
	// roots.
	reported map[string]bool
	failures map[rootKey]agent.Outcome
}

type rootKey struct{ destination, root string }

// The labels of the metrics of a Destination.
const (
	destinationLabel = "destination"
	rootLabel        = "root"
	outcomeLabel     = "outcome"
)

func newAgentMetrics(define *definer) *agentMetrics {
	return &agentMetrics{
		placements: define.gauge("agent_placements", "Placements by what the agent of their Destination has reported: the condition Applied or Healthy, and its status True, False or Unknown. "+
			"A placement does not count while the agent has reported only revisions that this process has not read.", destinationLabel, "condition", "status"),
		failing: define.gauge("agent_failing_since_timestamp_seconds", "Since when the agent fails on a root of a Destination in the same way, in seconds since 1970, by outcome: "+
			"BuildFailed, ApplyFailed, HealthFailed, PruneFailed. There is no series while it does not fail. The root is empty if the Destination is one root.", destinationLabel, rootLabel, outcomeLabel),
	}
}

type deliveredKey struct{ destination, condition, status string }

func (m *agentMetrics) set(r report.Report) {
	reported := m.setPlacements(r)
	m.setFailures(r)
	for name := range m.reported {
		if !reported[name] {
			m.placements.DeletePartialMatch(prometheus.Labels{destinationLabel: name})
		}
	}
	m.reported = reported
}

func (m *agentMetrics) setPlacements(r report.Report) map[string]bool {
	agents, reported, counts := r.Agents(), map[string]bool{}, map[deliveredKey]int{}
	for name := range agents {
		reported[name] = true
		for _, condition := range []string{kratix.AppliedCondition, kratix.HealthyCondition} {
			for _, status := range []string{report.True, report.False, report.Unknown} {
				counts[deliveredKey{name, condition, status}] = 0
			}
		}
	}
	for i := range r.Placements {
		p := &r.Placements[i]
		state, known := agents.Of(p)
		if !known {
			continue
		}
		if state.Applied.Reason != report.NotRead {
			counts[deliveredKey{p.Destination, kratix.AppliedCondition, state.Applied.Status}]++
		}
		if state.Healthy.Reason != report.NotRead {
			counts[deliveredKey{p.Destination, kratix.HealthyCondition, state.Healthy.Status}]++
		}
	}
	for key, count := range counts {
		m.placements.WithLabelValues(key.destination, key.condition, key.status).Set(float64(count))
	}
	return reported
}

// setFailures creates new series before it removes old series, so that an alert is not interrupted.
func (m *agentMetrics) setFailures(r report.Report) {
	failures := map[rootKey]agent.Outcome{}
	for i := range r.Deliveries {
		d := &r.Deliveries[i]
		if failure := d.State.Failure; failure != nil {
			failures[rootKey{d.Destination, d.Root}] = failure.Outcome
			m.failing.WithLabelValues(d.Destination, d.Root, string(failure.Outcome)).Set(float64(failure.Since.Unix()))
		}
	}
	for key, outcome := range m.failures {
		if failures[key] != outcome {
			m.failing.DeleteLabelValues(key.destination, key.root, string(outcome))
		}
	}
	m.failures = failures
}
