package worker_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
	"github.com/kratix-schedule/kratix-schedule/statestore/worker"
)

type slow struct {
	statestore.Store
	takes time.Duration
	err   error
	asked int
}

func (s *slow) wait(ctx context.Context) error {
	s.asked++
	select {
	case <-time.After(s.takes):
		return s.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *slow) Read(ctx context.Context) (statestore.State, error) {
	if err := s.wait(ctx); err != nil {
		return statestore.State{}, err
	}
	return s.Store.Read(ctx)
}

func (s *slow) Apply(ctx context.Context, changes statestore.ChangeSet) (statestore.Revision, error) {
	if err := s.wait(ctx); err != nil {
		return "", err
	}
	return s.Store.Apply(ctx, changes)
}

type bench struct {
	inner   *slow
	workers *worker.Workers
	store   statestore.View
	woken   chan struct{}
}

func newBench() *bench {
	b := &bench{inner: &slow{Store: memory.New("m")}, woken: make(chan struct{}, 100)}
	b.workers = &worker.Workers{
		Patience: time.Second, FirstPause: time.Second, LongestPause: 10 * time.Second,
		Wake: func() { b.woken <- struct{}{} },
	}
	b.store = b.workers.Wrap(statestore.ViewOf("GitStateStore s", b.inner))
	return b
}

func (b *bench) wakes() int {
	synctest.Wait()
	n := len(b.woken)
	for range n {
		<-b.woken
	}
	return n
}

func change(t *testing.T, base statestore.Revision, name string) statestore.ChangeSet {
	return statestore.ChangeSet{Base: base, Write: testkit.Files(map[string]string{name: "content of " + name})}
}

func withFakeTime(test func(*testing.T, *bench)) func(*testing.T) {
	return func(t *testing.T) { synctest.Test(t, func(t *testing.T) { test(t, newBench()) }) }
}

func TestWorkerConformsAsAStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Fixture {
		inner := memory.New("m")
		open := func() statestore.Store {
			workers := &worker.Workers{Patience: time.Minute, FirstPause: time.Second, LongestPause: time.Second, Wake: func() {}}
			return workers.Wrap(statestore.ViewOf("m", inner))
		}
		return storetest.Fixture{Store: open(), Reopen: open, Refuse: func(t *testing.T) map[string]string {
			inner.Refuse(testkit.Paths("resources/secret")...)
			return map[string]string{"resources/secret": "s"}
		}}
	})
}

func TestSlowReadIsReturnedLaterWithoutASecondRequest(t *testing.T) {
	withFakeTime(func(t *testing.T, b *bench) {
		b.inner.takes = 5 * time.Second
		for range 2 {
			if _, err := b.store.Read(t.Context()); !errors.Is(err, statestore.ErrUnavailable) || !strings.Contains(err.Error(), "read GitStateStore s:") {
				t.Errorf("err %v", err)
			}
		}
		if time.Sleep(4 * time.Second); b.wakes() != 1 {
			t.Error("nobody was woken")
		}
		began := time.Now()
		if _, err := b.store.Read(t.Context()); err != nil || b.inner.asked != 1 || time.Since(began) > 0 {
			t.Errorf("err %v, asked %d times, took %s", err, b.inner.asked, time.Since(began))
		}
		b.inner.takes = 0
		if storetest.Read(t, b.store); b.inner.asked != 2 {
			t.Error("an old answer is given twice")
		}
	})(t)
}

func TestPatienceAdaptsToSlowStores(t *testing.T) {
	withFakeTime(func(t *testing.T, b *bench) {
		b.workers.LongestPatience = 8 * time.Second
		b.inner = &slow{Store: memory.New("m")}
		b.store = b.workers.Wrap(statestore.ViewOf("GitStateStore s", b.inner))
		for i, read := range []struct {
			takes, waits time.Duration
			answers      bool
		}{
			{takes: 7 * time.Second, waits: 7 * time.Second, answers: true}, // no read has finished yet, so the patience is LongestPatience
			{takes: 9 * time.Second, waits: 8 * time.Second},
			{waits: time.Second, answers: true}, // waits for the same read as the caller before
			{answers: true},                     // within Patience, so that the patience is 4s from here on
			{answers: true},                     // the patience is 2s from here on
			{takes: 3 * time.Second, waits: 2 * time.Second},
			{waits: time.Second, answers: true}, // the patience is 4s from here on
			{takes: 5 * time.Second, waits: 4 * time.Second},
			{waits: time.Second, answers: true}, // the patience is 8s from here on
			{takes: 30 * time.Second, waits: 8 * time.Second},
			{waits: time.Second}, // later callers of the same read wait for Patience
		} {
			synctest.Wait()
			b.inner.takes = read.takes
			began := time.Now()
			_, err := b.store.Read(t.Context())
			if waited := time.Since(began); waited.Round(time.Second) != read.waits || (err == nil) != read.answers {
				t.Errorf("read %d: waited %s, err %v", i, waited, err)
			}
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Minute)
	})(t)
}

func TestSlowWriteContinuesAndReadsReturnItsResult(t *testing.T) {
	withFakeTime(func(t *testing.T, b *bench) {
		storetest.Write(t, b.store, map[string]string{"old": "1"})
		base := storetest.Read(t, b.store).Revision
		b.inner.takes = 5 * time.Second
		changes := change(t, base, "new")
		changes.Remove = testkit.Paths("old")
		if _, err := b.store.Apply(t.Context(), changes); !errors.Is(err, statestore.ErrPending) {
			t.Fatalf("err %v", err)
		}
		storetest.Holds(t, b.store, map[string]string{"new": "content of new"})
		if _, err := b.store.Apply(t.Context(), change(t, base, "other")); !errors.Is(err, statestore.ErrPending) {
			t.Errorf("a second write: %v", err)
		}
		if revision, err := b.store.Apply(t.Context(), statestore.ChangeSet{Base: base}); err != nil || revision != base {
			t.Errorf("an empty write: %q %v", revision, err)
		}
		if b.wakes() != 0 {
			t.Error("woken too early")
		}
		if time.Sleep(5 * time.Second); b.wakes() != 1 {
			t.Error("nobody was woken")
		}
		b.inner.takes = 0
		storetest.Holds(t, b.inner, map[string]string{"new": "content of new"})
		storetest.Holds(t, b.store, map[string]string{"new": "content of new"})
	})(t)
}

func TestFailingStoreIsPausedWithBackoff(t *testing.T) {
	withFakeTime(func(t *testing.T, b *bench) {
		b.inner.err = &statestore.Error{Op: "read", Store: "s", Err: statestore.ErrUnavailable}
		for _, want := range []time.Duration{1, 2, 4, 8, 10, 10} {
			asked, began := b.inner.asked, time.Now()
			for b.wakes() == 0 {
				if _, err := b.store.Read(t.Context()); !errors.Is(err, b.inner.err) {
					t.Fatalf("err %v", err)
				}
				time.Sleep(50 * time.Millisecond)
			}
			if took := time.Since(began); took > want*time.Second+100*time.Millisecond || took < want*time.Second*3/4 {
				t.Errorf("a pause of %s, want %d s", took, want)
			}
			if b.inner.asked != asked+1 {
				t.Errorf("asked %d times", b.inner.asked-asked)
			}
		}
		b.inner.err = nil
		storetest.Read(t, b.store)
		b.inner.err = statestore.ErrUnavailable
		_, _ = b.store.Read(t.Context())
		if time.Sleep(time.Second); b.wakes() != 1 {
			t.Error("a success does not make pauses short again")
		}
	})(t)
}

func TestRestingIsCalledForEachPause(t *testing.T) {
	withFakeTime(func(t *testing.T, b *bench) {
		type rest struct {
			failures int
			pause    time.Duration
		}
		var told []rest
		b.workers.Resting = func(store string, failures int, pause time.Duration) {
			if store != "GitStateStore s" {
				t.Errorf("told of %s", store)
			}
			told = append(told, rest{failures, pause.Round(time.Second)})
		}
		for _, err := range []error{nil, statestore.ErrUnavailable, statestore.ErrUnavailable, nil} {
			b.inner.err = err
			_, _ = b.store.Read(t.Context())
			synctest.Wait()
			time.Sleep(10 * time.Second)
			synctest.Wait()
		}
		if want := []rest{{0, 0}, {1, time.Second}, {2, 2 * time.Second}, {0, 0}}; !slices.Equal(told, want) {
			t.Errorf("told %v, want %v", told, want)
		}
	})(t)
}

func TestLaterPauseReplacesTheFirst(t *testing.T) {
	withFakeTime(func(t *testing.T, b *bench) {
		b.inner.err = statestore.ErrUnavailable
		for range 4 {
			_, _ = b.store.Apply(t.Context(), change(t, "", "a"))
		}
		asked := b.inner.asked
		for range 5 { // the last pause lasts 6 to 8 seconds
			time.Sleep(time.Second)
			_, _ = b.store.Read(t.Context())
		}
		if b.inner.asked != asked {
			t.Errorf("asked %d times within the pause", b.inner.asked-asked)
		}
		time.Sleep(6 * time.Second)
		if _, _ = b.store.Read(t.Context()); b.inner.asked != asked+1 || b.wakes() != 1 {
			t.Errorf("asked %d times after it", b.inner.asked-asked)
		}
	})(t)
}

func TestStaleWriteStartsNoPause(t *testing.T) {
	withFakeTime(func(t *testing.T, b *bench) {
		if _, err := b.store.Apply(t.Context(), change(t, "other", "a")); !errors.Is(err, statestore.ErrStale) {
			t.Fatalf("err %v", err)
		}
		if storetest.Read(t, b.store); b.inner.asked != 2 {
			t.Error("the store is left alone")
		}
	})(t)
}

func TestFinishWaitsForOperationsUntilItsDeadline(t *testing.T) {
	for name, c := range map[string]struct {
		takes, left time.Duration
		written     bool
	}{"in time": {5 * time.Second, 10 * time.Second, true}, "too long": {time.Minute, 10 * time.Second, false}} {
		t.Run(name, withFakeTime(func(t *testing.T, b *bench) {
			base := storetest.Read(t, b.store).Revision
			b.inner.takes = c.takes
			ctx, stop := context.WithCancel(t.Context())
			if _, err := b.store.Apply(ctx, change(t, base, "a")); !errors.Is(err, statestore.ErrPending) {
				t.Fatalf("err %v", err)
			}
			stop() // the context of the round ends, but the write does not
			ending, cancel := context.WithTimeout(t.Context(), c.left)
			defer cancel()
			began := time.Now()
			b.workers.Finish(ending)
			if took := time.Since(began); took > c.left {
				t.Errorf("it took %s", took)
			}
			b.inner.takes = 0
			if got := storetest.Read(t, b.inner).Files.Len() == 1; got != c.written {
				t.Errorf("written: %v", got)
			}
		}))
	}
}

func TestStoreHasOneWorkerUntilItIsForgotten(t *testing.T) {
	withFakeTime(func(t *testing.T, b *bench) {
		inner := statestore.ViewOf("GitStateStore s", b.inner)
		asks := func() int {
			before := b.inner.asked
			if _, err := b.workers.Wrap(inner).Read(t.Context()); !errors.Is(err, statestore.ErrUnavailable) {
				t.Error(err)
			}
			return b.inner.asked - before
		}
		b.inner.err = statestore.ErrUnavailable
		if b.workers.Wrap(inner) != b.store || asks() != 1 || asks() != 0 {
			t.Error("a second worker")
		}
		if b.workers.Forget(inner); asks() != 1 {
			t.Error("a store that is not used any more is kept")
		}
	})(t)
}

func TestRetryAfterProlongsThePause(t *testing.T) {
	for name, c := range map[string]struct{ asks, want time.Duration }{
		"longer than the pause":  {2 * time.Minute, 2 * time.Minute},
		"shorter than the pause": {time.Millisecond, time.Second * 3 / 4},
		"a day":                  {24 * time.Hour, time.Hour},
	} {
		t.Run(name, withFakeTime(func(t *testing.T, b *bench) {
			b.inner.err = &statestore.Error{Op: "read", Store: "s", Err: statestore.ErrUnavailable, RetryAfter: c.asks}
			_, _ = b.store.Read(t.Context())
			began, asked := time.Now(), b.inner.asked
			for b.inner.asked == asked {
				time.Sleep(100 * time.Millisecond)
				_, _ = b.store.Read(t.Context())
			}
			if took := time.Since(began); took < c.want || took > c.want+time.Second {
				t.Errorf("asked again after %s, want %s", took, c.want)
			}
		}))
	}
}

func TestLateRejectionIsReportedWithTheNextState(t *testing.T) {
	withFakeTime(func(t *testing.T, b *bench) {
		base := storetest.Read(t, b.store).Revision
		b.inner.takes = 3 * time.Second
		b.inner.err = &statestore.Error{Op: "write", Store: "s", Err: statestore.ErrContentRefused}
		refused := change(t, base, "refused")
		refused.Divisible = true
		if _, err := b.store.Apply(t.Context(), refused); !errors.Is(err, statestore.ErrPending) {
			t.Fatalf("err %v", err)
		}
		time.Sleep(4 * time.Second)
		if b.wakes() != 1 {
			t.Error("nobody was woken")
		}
		b.inner.takes, b.inner.err = 0, nil
		for range 2 {
			if state := storetest.Read(t, b.store); !errors.Is(state.Refused, statestore.ErrContentRefused) || state.WriteInProgress {
				t.Errorf("refused %v, in hand %v", state.Refused, state.WriteInProgress)
			}
		}
		if _, err := b.store.Apply(t.Context(), change(t, base, "other")); err != nil {
			t.Error(err)
		}
		if state := storetest.Read(t, b.store); state.Refused != nil {
			t.Errorf("refused %v", state.Refused)
		}
	})(t)
}

func TestRejectionOfIndivisibleChangesPausesTheStore(t *testing.T) {
	withFakeTime(func(t *testing.T, b *bench) {
		base := storetest.Read(t, b.store).Revision
		b.inner.err = &statestore.Error{Op: "write", Store: "s", Err: statestore.ErrContentRefused}
		for _, divisible := range []bool{true, false} {
			changes := change(t, base, "refused")
			changes.Divisible = divisible
			b.inner.asked = 0
			if _, err := b.store.Apply(t.Context(), changes); !errors.Is(err, statestore.ErrContentRefused) {
				t.Errorf("err %v", err)
			}
			_, _ = b.store.Read(t.Context())
			if rests := b.inner.asked == 1; rests == divisible {
				t.Errorf("divisible is %v, and the store rests: %v", divisible, rests)
			}
			time.Sleep(time.Minute)
		}
	})(t)
}
