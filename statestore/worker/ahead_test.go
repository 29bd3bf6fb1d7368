package worker_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

func (b *bench) readAhead(t *testing.T) {
	t.Helper()
	b.workers.ReadAhead(t.Context(), statestore.ViewOf("GitStateStore s", b.inner))
	synctest.Wait()
}

func TestReadAheadIsUsedOnce(t *testing.T) {
	for _, takes := range []time.Duration{0, 5 * time.Second} {
		withFakeTime(func(t *testing.T, b *bench) {
			b.inner.takes = takes
			b.readAhead(t)
			b.readAhead(t) // has no effect
			time.Sleep(takes)
			for asked := 1; asked <= 2; asked++ {
				b.inner.takes = 0
				if _, err := b.store.Read(t.Context()); err != nil || b.inner.asked != asked {
					t.Errorf("%v, asked %d times, want %d", err, b.inner.asked, asked)
				}
			}
			if b.wakes() > 0 {
				t.Error("a round is requested")
			}
		})(t)
	}
}

func TestReadWaitsForTheReadAhead(t *testing.T) {
	withFakeTime(func(t *testing.T, b *bench) {
		b.workers.LongestPatience = 10 * time.Second
		b.inner.takes = 5 * time.Second
		b.readAhead(t)
		time.Sleep(4 * time.Second)
		if _, err := b.store.Read(t.Context()); err != nil || b.inner.asked != 1 {
			t.Errorf("%v, asked %d times", err, b.inner.asked)
		}
		if b.inner.takes = 0; b.wakes() > 0 {
			t.Error("a round is requested")
		}
		if _, err := b.store.Read(t.Context()); err != nil || b.inner.asked != 2 {
			t.Errorf("%v, asked %d times", err, b.inner.asked)
		}
	})(t)
}

func TestFailureOfAReadAheadIsReported(t *testing.T) {
	withFakeTime(func(t *testing.T, b *bench) {
		b.inner.err = errors.New("down")
		b.readAhead(t)
		for range 2 { // the second time, the store rests
			if _, err := b.store.Read(t.Context()); !errors.Is(err, b.inner.err) || b.inner.asked != 1 {
				t.Errorf("%v, asked %d times", err, b.inner.asked)
			}
		}
		b.readAhead(t)
		if b.inner.asked != 1 {
			t.Error("a resting store is asked")
		}
	})(t)
}

func TestFailureOfAReadAheadEndsWithItsPause(t *testing.T) {
	withFakeTime(func(t *testing.T, b *bench) {
		b.inner.err = errors.New("down")
		b.readAhead(t)
		b.inner.err = nil
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if _, err := b.store.Read(t.Context()); err != nil || b.inner.asked != 2 {
			t.Errorf("%v, asked %d times", err, b.inner.asked)
		}
	})(t)
}
