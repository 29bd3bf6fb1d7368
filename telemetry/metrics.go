package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kratix-schedule/kratix-schedule/finding"
	"github.com/kratix-schedule/kratix-schedule/report"
)

// Metrics counts and measures rounds for Prometheus.
type Metrics struct {
	rounds     *prometheus.CounterVec
	duration   prometheus.Histogram
	placements *prometheus.GaugeVec
	findings   *prometheus.GaugeVec
	writes     *prometheus.CounterVec
	files      *prometheus.HistogramVec
	last       prometheus.Gauge
}

// The results of a round, as kratix_schedule_rounds_total has them.
const (
	roundClean    = "clean"
	roundFindings = "findings"
	roundFailed   = "failed"
)

// NewMetrics makes the metrics and registers them.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	name := func(n, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "kratix_schedule", Name: n, Help: help}
	}
	m := &Metrics{
		rounds: prometheus.NewCounterVec(prometheus.CounterOpts(name("rounds_total",
			"Rounds by result: clean, findings (at least one error was found), failed (nothing could be said).")), []string{"result"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "kratix_schedule", Name: "round_duration_seconds", Help: "How long a round took.",
			Buckets: prometheus.ExponentialBuckets(0.005, 3, 10),
		}),
		placements: prometheus.NewGaugeVec(prometheus.GaugeOpts(name("placements",
			"Placements of the last round by state.")), []string{"state"}),
		findings: prometheus.NewGaugeVec(prometheus.GaugeOpts(name("findings",
			"Findings of the last round by rule.")), []string{"rule", "severity"}),
		writes: prometheus.NewCounterVec(prometheus.CounterOpts(name("writes_total",
			"Writes to a state store; a git store makes one commit of each.")), []string{"store"}),
		files: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "kratix_schedule", Name: "write_files", Help: "Files added, changed and removed by one write.",
			Buckets: prometheus.ExponentialBuckets(1, 4, 9),
		}, []string{"store"}),
		last: prometheus.NewGauge(prometheus.GaugeOpts(name("last_round_timestamp_seconds",
			"When the last round ended, in seconds since 1970."))),
	}
	registry.MustRegister(m.rounds, m.duration, m.placements, m.findings, m.writes, m.files, m.last)
	for _, result := range []string{roundClean, roundFindings, roundFailed} {
		m.rounds.WithLabelValues(result)
	}
	return m
}

// Round takes a round into account that ended at a time and took so long.
func (m *Metrics) Round(r report.Report, err error, ended time.Time, took time.Duration) {
	m.duration.Observe(took.Seconds())
	m.last.Set(float64(ended.UnixNano()) / float64(time.Second))
	if err != nil {
		m.rounds.WithLabelValues(roundFailed).Inc()
		return
	}
	result := roundClean
	if r.Worst() >= finding.Error {
		result = roundFindings
	}
	m.rounds.WithLabelValues(result).Inc()
	m.placements.Reset()
	for _, p := range r.Placements {
		m.placements.WithLabelValues(string(p.State)).Inc()
	}
	m.findings.Reset()
	for _, f := range r.Findings {
		m.findings.WithLabelValues(f.Rule.ID, f.Rule.Severity.String()).Inc()
	}
	for _, store := range r.Stores {
		if count := changed(store); count > 0 {
			m.writes.WithLabelValues(store.Name).Inc()
			m.files.WithLabelValues(store.Name).Observe(float64(count))
		}
	}
}

func changed(store report.Store) int {
	count := 0
	for _, d := range store.Destinations {
		count += len(d.Added) + len(d.Changed) + len(d.Removed)
	}
	return count
}
