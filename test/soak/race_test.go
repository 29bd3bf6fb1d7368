//go:build race

package soak

// raced means that the daemon is built with the race detector too.
const raced = true
