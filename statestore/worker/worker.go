// Package worker wraps stores that may be slow or down, so that none of them delays a round over
// many stores. Slow operations continue in the background, and a later round gets their results.
// After a failure, a store is not read for some time. Only the wrapped stores do I/O.
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
	// LongestPatience is the longest time that a caller waits for a read. The time adapts to the
	// duration of earlier reads. It is at least Patience.
	LongestPatience time.Duration
	// FirstPause is the pause after the first failure of a store. Each further failure doubles it,
	// up to LongestPause. A jitter shortens it by up to a quarter. A server may demand a longer
	// pause.
	FirstPause, LongestPause time.Duration
	// Resting is called when a store is paused, with the number of consecutive failures and the
	// length of the pause, and with zeros after a success. It must not block. It may be nil.
	Resting func(store string, failures int, pause time.Duration)
	// Wake is called when an operation has finished in the background, and when a pause is over. It
	// must not block.
	Wake func()

	mu      sync.Mutex
	workers map[statestore.View]*worker
	running sync.WaitGroup
	cancels map[*operation]context.CancelFunc
}

// Wrap returns a view that reads and writes through a worker. Equal views have the same worker.
func (w *Workers) Wrap(view statestore.View) statestore.View {
	return view.Through(location{view.Location, w})
}

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

// ReadAhead begins to read a view, unless its store is busy or rests. The next Read returns the
// result. view must be the argument of Wrap.
func (w *Workers) ReadAhead(ctx context.Context, view statestore.View) { w.of(view).readAhead(ctx) }

// Last returns the state of a view that was read last. ok is false if there is none. view must be
// the argument of Wrap.
func (w *Workers) Last(view statestore.View) (state statestore.State, ok bool) {
	w.mu.Lock()
	of := w.workers[view]
	w.mu.Unlock()
	if of == nil {
		return state, false
	}
	of.mu.Lock()
	defer of.mu.Unlock()
	return of.base, of.base.Contents != nil
}

// Forget removes the worker of a view that is no longer used. view must be the argument of Wrap.
func (w *Workers) Forget(view statestore.View) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.workers, view)
}

// Finish waits until no operation is in progress. When ctx ends, it cancels the operations.
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
