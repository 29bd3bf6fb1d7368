// Package monitoring checks deploy/monitoring with Prometheus' own library, and against the metrics
// of the program. It is a separate module, so that nothing else depends on Prometheus.
package monitoring
