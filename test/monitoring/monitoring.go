// Package monitoring checks what lies in deploy/monitoring against Prometheus'
// own library and against the metrics that there are. It is a module of its own,
// so that nobody else downloads Prometheus.
package monitoring
