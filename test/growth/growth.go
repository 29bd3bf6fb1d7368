// Package growth lets tests check that code takes time linear in the size of its input. It measures
// time, and does no I/O.
package growth

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// Sizes that are compared: one input of many items, and as many inputs of few items so that
// both have the same number of items in memory. Quadratic code takes 16 times as long for the
// input of many items.
const (
	small    = 1_000
	large    = 16 * small
	allowed  = 6
	attempts = 3
	// noise is the time below which the clock is too coarse to compare. Quadratic code takes
	// much longer for the large input, even at a nanosecond for each pair of items.
	noise = 5 * time.Millisecond
)

// Linear fails the test if the work takes much more time for one input of many items than for
// many inputs of few items. prepare returns the work for an input of a size; only the work is
// timed, in CPU time if available. The best of several attempts counts.
func Linear(t *testing.T, prepare func(size int) (work func())) {
	t.Helper()
	var one, several time.Duration
	for range attempts {
		var works []func()
		for range large / small {
			works = append(works, prepare(small))
		}
		several = timed(func() {
			for _, work := range works {
				work()
			}
		})
		if one = timed(prepare(large)); one <= max(several*allowed, noise) {
			return
		}
	}
	t.Errorf("an input of %d items takes %s, which is %.1f times as long as %d inputs of %d: the time does not grow linearly",
		large, one, float64(one)/float64(max(several, 1)), large/small, small)
}

// Benchmark measures the work for 1,000, 4,000 and 16,000 items, and reports the time per item.
func Benchmark(b *testing.B, prepare func(size int) (work func())) {
	b.Helper()
	for _, size := range []int{small, 4 * small, large} {
		b.Run(fmt.Sprintf("items=%d", size), func(b *testing.B) {
			var took time.Duration
			for range b.N {
				b.StopTimer()
				work := prepare(size)
				b.StartTimer()
				took += timed(work)
			}
			b.ReportMetric(float64(took.Nanoseconds())/float64(b.N)/float64(size), "ns/item")
		})
	}
}

// timed returns the time that work takes, after a garbage collection.
func timed(work func()) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	runtime.GC()
	began := now()
	work()
	return now() - began
}
