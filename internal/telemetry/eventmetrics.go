package telemetry

import (
	"cmp"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/agent/receive"
)

type eventMetrics struct {
	received, rejected, git *prometheus.CounterVec
}

// newEventMetrics creates the metrics with all their series, because Prometheus sees no increase if
// a counter starts at 1.
func newEventMetrics(define *definer) *eventMetrics {
	m := &eventMetrics{
		received: define.counter("agent_events_total", "Events that Flux (flux) and Argo CD (argocd) have sent, by outcome: Applied, Healthy, "+
			"BuildFailed, ApplyFailed, HealthFailed, PruneFailed, Progressing, none (it reports nothing about the objects of a root).", "agent", "outcome"),
		rejected: define.counter("agent_events_rejected_total", "Events that were rejected, by reason: unauthorized (no or a wrong signature or token), malformed, "+
			"too_large, unreadable, too_old, too_new, unknown_destination, not_ready (no round has been done), off and no_secret (see --events-secret-file).", "agent", "reason"),
		git: define.counter("git_events_total", "Webhooks of git hosts, by result: accepted (a state store is on the branch that was pushed), ignored (none is, or it is not about a push to a branch), "+
			"unauthorized (no or a wrong signature or token), malformed, too_large, unreadable, not_ready (no round has been done), off and no_secret (see --git-events-secret-file).", "result"),
	}
	for _, result := range receive.GitResults() {
		m.git.WithLabelValues(string(result))
	}
	for _, name := range agent.Names() {
		for _, outcome := range agent.Outcomes() {
			m.received.WithLabelValues(string(name), labelOf(outcome))
		}
		for _, reason := range agent.Rejections() {
			m.rejected.WithLabelValues(string(name), string(reason))
		}
	}
	return m
}

func labelOf(outcome agent.Outcome) string { return cmp.Or(string(outcome), "none") }

// CountAgentEvent counts an event that was received.
func (m *Metrics) CountAgentEvent(from agent.Name, outcome agent.Outcome) {
	m.events.received.WithLabelValues(string(from), labelOf(outcome)).Inc()
}

// CountRejectedAgentEvent counts an event that was rejected.
func (m *Metrics) CountRejectedAgentEvent(from agent.Name, reason agent.Rejection) {
	m.events.rejected.WithLabelValues(string(from), string(reason)).Inc()
}

// CountGitEvent counts a webhook of a git host.
func (m *Metrics) CountGitEvent(result receive.GitResult) {
	m.events.git.WithLabelValues(string(result)).Inc()
}
