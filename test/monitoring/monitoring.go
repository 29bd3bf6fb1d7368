// Package monitoring checks deploy/monitoring with Prometheus' own library and against the
// existing metrics. It is a separate module, so that nothing else depends on Prometheus.
package monitoring
