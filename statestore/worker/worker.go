// Package worker wraps stores that may be slow or down, so that a round over many stores is not
// delayed by any of them. If an operation takes too long for a round, it continues in the
// background, and a later round gets its result. A store that fails is paused with exponential
// backoff. The package uses timers and never the time of day, so that setting the clock has no
// effect. All I/O is done by the wrapped stores.
package worker

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Workers wraps the stores of one process.
type Workers struct {
	// Patience is how long a caller waits for a store.
	Patience time.Duration
	// LongestPatience is the initial time that the first caller of a read waits. Each read
	// that finishes within Patience halves that time, down to Patience, and each that takes
	// longer doubles it, up to LongestPatience, so that a store that is always slow does
	// not count as one that does not respond. A value less than Patience means Patience.
	LongestPatience time.Duration
	// FirstPause is the pause after a store's first failure; each further failure doubles
	// it, up to LongestPause. A jitter of a quarter spreads the retries of several stores.
	FirstPause, LongestPause time.Duration
	// Resting is called when a store is paused, with the number of consecutive failures and
	// the length of the pause, and with zeros when it works. It may be nil and must not
	// block.
	Resting func(store string, failures int, pause time.Duration)
	// Wake is called when an operation has finished in the background, or when a pause is
	// over; it must not block.
	Wake func()

	mu      sync.Mutex
	workers map[statestore.View]*worker
	running sync.WaitGroup
	cancels map[*operation]context.CancelFunc
}

// Wrap returns a view that reads and writes through a worker. The same view always gets the
// same worker.
func (w *Workers) Wrap(view statestore.View) statestore.View {
	return view.Through(location{view.Location, w})
}

// of returns the worker of a view, and creates it if there is none.
func (w *Workers) of(view statestore.View) *worker {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.workers == nil {
		w.workers = map[statestore.View]*worker{}
	}
	if w.workers[view] == nil {
		w.workers[view] = &worker{view: view, workers: w, patience: w.LongestPatience}
	}
	return w.workers[view]
}

// Forget removes the worker of a view that is no longer used. The argument is the view that
// was passed to Wrap.
func (w *Workers) Forget(view statestore.View) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.workers, view)
}

// Finish waits for the operations in progress and cancels them when ctx ends.
func (w *Workers) Finish(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		w.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return
	case <-ctx.Done():
	}
	w.mu.Lock()
	for _, cancel := range w.cancels {
		cancel()
	}
	w.mu.Unlock()
	<-done
}

// start runs do in the background. The context of do does not end when ctx ends.
func (w *Workers) start(ctx context.Context, op *operation, do func(context.Context)) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	w.mu.Lock()
	if w.cancels == nil {
		w.cancels = map[*operation]context.CancelFunc{}
	}
	w.cancels[op] = cancel
	w.mu.Unlock()
	w.running.Go(func() {
		do(ctx)
		cancel()
		w.mu.Lock()
		delete(w.cancels, op)
		w.mu.Unlock()
	})
}

// pause returns the length of the pause after a number of consecutive failures.
func (w *Workers) pause(failures int) time.Duration {
	pause := w.FirstPause
	for range failures - 1 {
		if pause *= 2; pause >= w.LongestPause {
			pause = w.LongestPause
			break
		}
	}
	return pause - rand.N(pause/4+1) //nolint:gosec // jitter needs no secrecy
}
