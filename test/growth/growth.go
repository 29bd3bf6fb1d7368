// Package growth checks in tests that the time of code is linear in the size of its input.
package growth

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// One large input is compared with small inputs that together have the same number of items.
const (
	small    = 1_000
	large    = 16 * small
	allowed  = 6
	attempts = 3
	// noise is the time below which the clock is too coarse for a comparison.
	noise = 5 * time.Millisecond
)

// Linear checks that one large input does not take much longer than many small inputs with as many
// items. prepare returns the work for an input of a size.
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

// Benchmark measures the work for inputs of three sizes, and reports the time for each item.
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

func timed(work func()) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	runtime.GC()
	began := now()
	work()
	return now() - began
}
