// Package worker turns a store that may be slow or down into one that answers
// soon, so that a round over many stores waits for none of them. What takes
// longer than a round waits goes on by itself; the next round finds what came of
// it. A store that fails is left alone for a while, each time longer. It
// waits by timers, and never asks for the time of day: setting the clock changes
// nothing. All I/O is that of the stores it wraps.
package worker

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Workers wrap the stores of one process.
type Workers struct {
	// Patience is how long a caller waits for a store.
	Patience time.Duration
	// LongestPatience is how long the first to ask for a read waits, where nothing was
	// read yet. Each answer within Patience halves that, down to Patience, and each
	// that takes longer doubles it again: so a store that is slow as a rule is not
	// taken for one that does not answer. Less than Patience is Patience.
	LongestPatience time.Duration
	// FirstPause is how long a store is left alone after it failed; after each
	// further failure the pause doubles, up to LongestPause. Pauses vary by a
	// quarter, so that not all come back at once.
	FirstPause, LongestPause time.Duration
	// Resting is called when a store has failed so often in a row and is left alone
	// for so long, and with zeros that it works; nil is not called. It must not
	// wait.
	Resting func(store string, failures int, pause time.Duration)
	// Wake is called when a store has something new to say, or may be asked
	// again after a pause; it must not wait.
	Wake func()

	mu      sync.Mutex
	workers map[statestore.View]*worker
	inHand  sync.WaitGroup
	cancels map[*operation]context.CancelFunc
}

// Wrap returns a view behind its worker: the same one for the same view.
func (w *Workers) Wrap(view statestore.View) statestore.View {
	return view.Behind(location{view.Location, w})
}

// of returns the worker of a view, which has begun anew if it was forgotten.
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

// Forget forgets the worker of a view, as Wrap was given it, that is not used any
// more.
func (w *Workers) Forget(view statestore.View) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.workers, view)
}

// Finish waits for what is in hand. When ctx ends before, it is cut off.
func (w *Workers) Finish(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		w.inHand.Wait()
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

// start does something in the background, however soon its caller loses
// patience.
func (w *Workers) start(ctx context.Context, op *operation, do func(context.Context)) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	w.mu.Lock()
	if w.cancels == nil {
		w.cancels = map[*operation]context.CancelFunc{}
	}
	w.cancels[op] = cancel
	w.mu.Unlock()
	w.inHand.Go(func() {
		do(ctx)
		cancel()
		w.mu.Lock()
		delete(w.cancels, op)
		w.mu.Unlock()
	})
}

// pause returns how long to leave a store alone after so many failures.
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
