// Package telemetry converts the results of rounds to log lines, metrics, traces and HTTP
// responses.
package telemetry

import (
	"errors"
	"reflect"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Metrics are the Prometheus metrics of rounds.
type Metrics struct {
	definitions []Definition

	rounds   *prometheus.CounterVec
	duration *prometheus.HistogramVec
	last     *prometheus.GaugeVec
	stages   *prometheus.HistogramVec

	placements *prometheus.GaugeVec
	findings   *prometheus.GaugeVec
	refused    *prometheus.GaugeVec
	agents     *agentMetrics
	rollouts   *rolloutMetrics
	// counted is the report from which the gauges were set.
	counted report.Report

	statusWrites *prometheus.CounterVec
	events       *eventMetrics
	stores       *storeMetrics
}

// The values of the label result of kratix_schedule_rounds_total.
const (
	roundClean    = "clean"
	roundFindings = "findings"
	roundFailed   = "failed"
)

// seconds returns the upper limits of buckets, from 1 ms to about 17 minutes.
func seconds() []float64 { return prometheus.ExponentialBuckets(0.001, 4, 11) }

// NewMetrics creates and registers the metrics. version is the version of the program.
func NewMetrics(registry prometheus.Registerer, version string) *Metrics {
	define := &definer{registry: registry}
	define.gauge("build_info", "Always 1; the label has the program's version.", "version").WithLabelValues(version).Set(1)
	m := &Metrics{
		rounds:   define.counter("rounds_total", "Rounds by result: clean, findings (at least one error was found), failed (there is no report).", "result"),
		duration: define.histogram("round_duration_seconds", "How long a round took, including all attempts.", seconds()),
		last:     define.gauge("last_round_timestamp_seconds", "When the last round ended, in seconds since 1970."),
		stages: define.histogram("stage_duration_seconds", "How long a stage of a round took: source (read the input), observe (read the stores), "+
			"plan (which placement goes where, and what may be written), finish (compute and write the changes).", seconds(), "stage"),
		placements: define.gauge("placements", "Placements of the last round by state.", "state"),
		findings:   define.gauge("findings", "Findings of the last round by rule; the rules KS00x and KS01x are conflicts.", "rule", "name", "severity"),
		refused:    define.gauge("deletions_refused", "1 if the deletion guard refused to remove placements in the last round, else 0."),
	}
	m.statusWrites = define.counter("api_writes_total", "Writes that the Kubernetes API accepted, by verb; with --kube.", "verb")
	m.agents = newAgentMetrics(define)
	m.rollouts = newRolloutMetrics(define)
	m.events = newEventMetrics(define)
	m.stores = newStoreMetrics(define)
	m.definitions = define.made
	for _, result := range []string{roundClean, roundFindings, roundFailed} {
		m.rounds.WithLabelValues(result)
	}
	for _, state := range report.States() {
		m.placements.WithLabelValues(string(state))
	}
	for _, rule := range finding.Rules() {
		m.ofRule(rule)
	}
	m.refused.WithLabelValues()
	return m
}

// Definitions returns all metrics, sorted by name.
func (m *Metrics) Definitions() []Definition {
	return slices.SortedFunc(slices.Values(m.definitions), func(a, b Definition) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
}

func (m *Metrics) ofRule(rule finding.Rule) prometheus.Gauge {
	return m.findings.WithLabelValues(rule.ID, rule.Name, rule.Severity.String())
}

// Stage records the duration of a stage of a round.
func (m *Metrics) Stage(stage string, took time.Duration) {
	m.stages.WithLabelValues(stage).Observe(took.Seconds())
}

// Round records a round with its end and duration. The report must not be modified afterwards.
func (m *Metrics) Round(r report.Report, err error, ended time.Time, took time.Duration) {
	m.duration.WithLabelValues().Observe(took.Seconds())
	m.last.WithLabelValues().Set(float64(ended.UnixNano()) / float64(time.Second))
	if err != nil {
		m.rounds.WithLabelValues(roundFailed).Inc()
		return
	}
	result := roundClean
	if r.Worst() >= finding.Error {
		result = roundFindings
	}
	m.rounds.WithLabelValues(result).Inc()
	m.count(r)
	m.stores.keep(r)
}

// CountStatusWrites adds numbers of writes to the Kubernetes API, by verb.
func (m *Metrics) CountStatusWrites(calls map[string]int) {
	for verb, count := range calls {
		m.statusWrites.WithLabelValues(verb).Add(float64(count))
	}
}

// count sets the gauges from a report. It skips parts that are the same as in the previous report.
func (m *Metrics) count(r report.Report) {
	if !same(m.counted.Placements, r.Placements) {
		counts := r.Counts()
		for _, state := range report.States() {
			m.placements.WithLabelValues(string(state)).Set(float64(counts[state]))
		}
	}
	if !same(m.counted.Findings, r.Findings) {
		counts := map[string]int{}
		for _, f := range r.Findings {
			counts[f.Rule.ID]++
		}
		for _, rule := range finding.Rules() {
			m.ofRule(rule).Set(float64(counts[rule.ID]))
		}
		m.refused.WithLabelValues().Set(float64(counts[finding.DeletionsRefused().ID]))
	}
	if !same(m.counted.Placements, r.Placements) || !reflect.DeepEqual(m.counted.Deliveries, r.Deliveries) {
		m.agents.set(r)
	}
	if !reflect.DeepEqual(m.counted.Rollouts, r.Rollouts) {
		m.rollouts.set(r)
	}
	m.counted = r
}

// same reports whether two slices have the same elements in memory.
func same[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// The values of the label kind of kratix_schedule_store_errors_total.
const (
	kindStale         = "stale"
	kindDenied        = "denied"
	kindUnavailable   = "unavailable"
	kindMisconfigured = "misconfigured"
	kindOther         = "other"
)

func kinds() []string {
	return []string{kindStale, kindDenied, kindUnavailable, kindMisconfigured, kindOther}
}

func kindOf(err error) string {
	switch {
	case errors.Is(err, statestore.ErrStale):
		return kindStale
	case errors.Is(err, statestore.ErrDenied):
		return kindDenied
	case errors.Is(err, statestore.ErrMisconfigured):
		return kindMisconfigured
	case errors.Is(err, statestore.ErrUnavailable):
		return kindUnavailable
	}
	return kindOther
}
