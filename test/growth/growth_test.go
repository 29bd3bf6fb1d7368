package growth

import "testing"

func TestLinearDetectsQuadraticCode(t *testing.T) {
	loop := func(size, times int) func() {
		list := make([]int, size)
		return func() {
			for i := range times {
				list[i%size] += i
			}
		}
	}
	const often = 100
	Linear(t, func(size int) func() { return loop(size, often*size) })
	var inner testing.T
	done := make(chan struct{})
	go func() {
		defer close(done)
		Linear(&inner, func(size int) func() { return loop(size, size*size/8) })
	}()
	if <-done; !inner.Failed() {
		t.Error("a loop within a loop is taken for linear")
	}
}
