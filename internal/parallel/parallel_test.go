package parallel

import (
	"sync/atomic"
	"testing"
)

func TestEachCallsForEveryElementOnce(t *testing.T) {
	for _, count := range []int{0, 1, 2, 1000} {
		calls := make([]atomic.Int64, count)
		Each(count, func(i int) { calls[i].Add(1) })
		for i := range calls {
			if n := calls[i].Load(); n != 1 {
				t.Errorf("%d of %d is called %d times", i, count, n)
			}
		}
	}
}
