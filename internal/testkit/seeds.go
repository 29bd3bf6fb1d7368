package testkit

import "iter"

// Seeds yields the numbers from 0 as seeds of random tests: n of them, or a third with the race
// detector.
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
