//go:build race

package soak

// raced has the daemon built with the race detector too.
const raced = true
