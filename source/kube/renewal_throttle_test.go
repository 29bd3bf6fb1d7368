package kube

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestRenewalsRequestOneRoundPerSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var mu sync.Mutex
		var all []time.Duration
		limit := throttle{}
		limit.requestRound = func() {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, time.Since(began))
		}
		times := func() []time.Duration {
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(all)
		}
		for range 120 { // twelve times a second for ten seconds
			limit.note()
			time.Sleep(time.Second / 12)
		}
		synctest.Wait()
		asked := times()
		if n := len(asked); n < 10 || n > 11 || asked[0] != 0 {
			t.Errorf("it asks %d times in ten seconds, at %v", n, asked)
		}
		for i := 1; i < len(asked); i++ {
			if between := asked[i] - asked[i-1]; between < renewalInterval {
				t.Errorf("%s between two", between)
			}
		}
		last := len(asked)
		time.Sleep(time.Minute)
		synctest.Wait()
		asked = times()
		if more := len(asked) - last; more > 1 {
			t.Errorf("it asks %d times more when all rests", more)
		}
		last = len(asked)
		limit.note()
		limit.note()
		asked = times()
		if len(asked) != last+1 || asked[last] != time.Since(began) {
			t.Errorf("after a rest it does not ask at once: %v", asked[last:])
		}
		time.Sleep(2 * renewalInterval)
		synctest.Wait()
		asked = times()
		if len(asked) != last+2 {
			t.Errorf("the second of two is asked for %d times", len(asked)-last-1)
		}
	})
}
