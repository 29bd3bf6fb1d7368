package worker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

type worker struct {
	view    statestore.View
	workers *Workers

	mu sync.Mutex
	// current is the operation in progress, or nil.
	current *operation
	// read is a read that has finished without a caller, or after one had stopped waiting for it.
	read *operation
	base statestore.State
	// patience is how long the first caller of a read waits.
	patience time.Duration
	// failures is the number of consecutive failures. While the timer pause runs, the store is not
	// read. failure is the last error.
	failures int
	pause    *time.Timer
	failure  error
	// refused is the error of the last write if its content was rejected in the background.
	refused error
}

type operation struct {
	done chan struct{}
	// changes are the changes of a write, or nil for a read.
	changes  *statestore.ChangeSet
	state    statestore.State
	revision statestore.Revision
	err      error
	// late is the timer of a read that fires after Workers.Patience.
	late *time.Timer
	// left means that a caller has stopped waiting for the operation. ahead means that the operation
	// is a read that began without a caller.
	left, ahead bool
}

func (s *worker) readState(ctx context.Context) (statestore.State, error) {
	if err := statestore.Ended(ctx, "read", s.view.Name); err != nil {
		return statestore.State{}, err
	}
	s.mu.Lock()
	if s.read != nil && s.read.ahead && s.read.err != nil && s.pause == nil {
		s.read = nil // it is time to ask the store again
	}
	switch {
	case s.current != nil && s.current.changes != nil:
		defer s.mu.Unlock()
		return after(s.base, *s.current.changes), nil
	case s.read != nil:
		defer s.mu.Unlock()
		op := s.read
		s.read = nil
		return s.answer(op)
	case s.current == nil && s.pause != nil:
		defer s.mu.Unlock()
		return statestore.State{}, s.failure
	case s.current == nil:
		s.beginRead(ctx)
	}
	op := s.current
	patience := s.workers.Patience
	if !op.left { // if left is set, an earlier caller has already waited for s.patience
		patience = max(patience, s.patience)
	}
	s.mu.Unlock()
	if !s.await(ctx, op, patience) {
		return statestore.State{}, s.busy("read", statestore.ErrUnavailable, "it has not answered yet")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.read == op {
		s.read = nil // a later read must not return this result again
	}
	return s.answer(op)
}

func (s *worker) readAhead(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil && s.read == nil && s.pause == nil {
		s.beginRead(ctx)
		s.current.ahead = true
	}
}

func (s *worker) answer(op *operation) (statestore.State, error) {
	state := op.state
	state.Refused = s.refused
	return state, op.err
}

// take makes op the operation in progress.
func (s *worker) take(op *operation) {
	s.current = op
	if op.changes != nil {
		s.refused = nil
	}
}

// isAnswer reports whether the caller handles the error of an operation. The error then does not
// count as a failure of the store.
func (op *operation) isAnswer() bool {
	divides := op.changes != nil && op.changes.Divisible
	return errors.Is(op.err, statestore.ErrStale) || divides && errors.Is(op.err, statestore.ErrContentRefused)
}

func (s *worker) busy(op string, err error, why string) error {
	return &statestore.Error{
		Op: op, Store: s.view.Name, Err: fmt.Errorf("%w: %s", err, why), Class: statestore.Network,
		Fix: "the store is slow or does not answer: look at the server and at what lies between",
	}
}

func (s *worker) beginRead(ctx context.Context) {
	op := &operation{done: make(chan struct{}), late: time.AfterFunc(s.workers.Patience, func() {})}
	s.take(op)
	s.workers.start(ctx, op, func(ctx context.Context) {
		op.state, op.err = s.view.Read(ctx)
		s.end(op)
	})
}

// beginWrite makes a write the operation in progress, which the caller must start. It returns an
// error if another operation is in progress.
func (s *worker) beginWrite(ctx context.Context, changes statestore.ChangeSet) (*operation, error) {
	if err := statestore.Ended(ctx, "write", s.view.Name); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil {
		return nil, s.busy("write", statestore.ErrPending, "an earlier write is in progress")
	}
	op := &operation{done: make(chan struct{}), changes: &changes}
	s.take(op)
	return op, nil
}

func (s *worker) end(op *operation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = nil
	close(op.done)
	if op.changes == nil && op.err == nil {
		s.base = op.state
	}
	if op.changes == nil {
		s.adaptPatience(op.late.Stop())
	}
	if (op.left || op.ahead) && op.changes == nil {
		s.read = op
	}
	if op.left {
		if op.changes != nil && errors.Is(op.err, statestore.ErrContentRefused) {
			s.refused = op.err
		}
		s.workers.Wake()
	}
	s.failure = op.err
	if op.err == nil || op.isAnswer() {
		s.failures = 0
		s.pauseFor(0)
		return
	}
	s.failures++
	// The server may demand a longer pause.
	s.pauseFor(max(s.workers.pause(s.failures), statestore.RetryAfter(op.err)))
}

// pauseFor begins a pause in which the store is not read, and ends an earlier pause. Zero means no
// pause.
func (s *worker) pauseFor(pause time.Duration) {
	if s.pause != nil {
		s.pause.Stop()
		s.pause = nil
	}
	if s.workers.Resting != nil {
		s.workers.Resting(s.view.Name, s.failures, pause)
	}
	if pause == 0 {
		return
	}
	var mine *time.Timer
	mine = time.AfterFunc(pause, func() {
		s.mu.Lock()
		if s.pause == mine {
			s.pause = nil
		}
		s.mu.Unlock()
		s.workers.Wake()
	})
	s.pause = mine
}

// adaptPatience halves the patience after a quick read, and doubles it after a slow read, within
// limits.
func (s *worker) adaptPatience(soon bool) {
	w := s.workers
	if soon {
		s.patience = max(s.patience/2, w.Patience)
	} else {
		s.patience = min(2*s.patience, max(w.LongestPatience, w.Patience))
	}
}

func (s *worker) await(ctx context.Context, op *operation, patience time.Duration) bool {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-op.done:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-op.done:
		return true
	default:
		op.left = true
		return false
	}
}
