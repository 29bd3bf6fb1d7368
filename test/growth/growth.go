// Package growth lets tests hold that a piece of code takes time linear in the size
// of its input.
package growth

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// The sizes that are compared, and how often the time may grow beyond the size. The
// larger is 16 times the smaller, so a loop within a loop takes 256 times as long.
const (
	small    = 1_000
	large    = 16 * small
	allowed  = 5
	attempts = 3
)

// Linear fails the test if work takes much more time for each item of many than for
// each of few. Prepare returns the work on an input of that size; only the work is
// timed. Of several attempts the fastest counts, so that a busy machine fails no
// test.
func Linear(t *testing.T, prepare func(size int) (work func())) {
	t.Helper()
	few, many := time.Duration(1<<62), time.Duration(1<<62)
	for range attempts {
		few = min(few, timed(prepare(small)))
		many = min(many, timed(prepare(large)))
		if many <= few*(large/small)*allowed {
			return
		}
	}
	t.Errorf("%d items take %s and %d take %s, which is %d times as long", small, few, large, many, many/max(few, 1))
}

// Benchmark measures work for 1,000, 4,000 and 16,000 items, and reports the time
// for each item.
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

// timed returns how long work takes, without the garbage that was there before.
func timed(work func()) time.Duration {
	runtime.GC()
	began := time.Now()
	work()
	return time.Since(began)
}
