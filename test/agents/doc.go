// Package agents has tests only: they judge the output of `kratix-schedule agent` by the
// definitions and libraries of Flux and Argo CD.
package agents
