// Package monitoring checks deploy/monitoring. It is a separate module, so that the program does
// not depend on Prometheus.
package monitoring
