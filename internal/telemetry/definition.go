package telemetry

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// Definition describes a metric.
type Definition struct {
	Name string
	// Type is counter, gauge or histogram.
	Type   string
	Labels []string
	Help   string
}

// namespace is the prefix of all metric names.
const namespace = "kratix_schedule"

// definer creates and registers metrics, and collects their definitions.
type definer struct {
	registry prometheus.Registerer
	made     []Definition
}

func (d *definer) add(kind string, collector prometheus.Collector, name, help string, labels []string) {
	d.registry.MustRegister(collector)
	d.made = append(d.made, Definition{Name: namespace + "_" + name, Type: kind, Labels: slices.Clone(labels), Help: help})
}

func (d *definer) counter(name, help string, labels ...string) *prometheus.CounterVec {
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	d.add("counter", vec, name, help, labels)
	return vec
}

func (d *definer) gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	vec := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, labels)
	d.add("gauge", vec, name, help, labels)
	return vec
}

func (d *definer) histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	vec := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets}, labels)
	d.add("histogram", vec, name, help, labels)
	return vec
}
