//go:build race

package soak

// raced means that the daemon is also built with the race detector.
const raced = true
