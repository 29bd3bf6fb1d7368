//go:build race

package soak

// raced means that the race detector is on. The daemon is then built with it too.
const raced = true
