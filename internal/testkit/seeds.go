package testkit

import "iter"

// Seeds yields n seeds of random tests, counted from 0. The race detector makes such tests ten times
// as slow, so with it only a third of the seeds are used, rounded up.
func Seeds(n int) iter.Seq[uint64] {
	if raceDetector {
		n = (n + 2) / 3
	}
	return func(yield func(uint64) bool) {
		for seed := range uint64(n) { //nolint:gosec // a small number
			if !yield(seed) {
				return
			}
		}
	}
}
