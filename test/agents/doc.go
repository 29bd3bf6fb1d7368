// Package agents checks the output of `kratix-schedule agent` against the definitions and libraries
// of Flux and Argo CD.
package agents
