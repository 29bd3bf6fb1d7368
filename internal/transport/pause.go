package transport

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// pause is the time in which a server gets no requests because it has demanded a pause. A timer
// measures the time, because the system's clock may be adjusted.
type pause struct {
	mu    sync.Mutex
	wait  time.Duration
	why   string
	over  chan struct{} // closed when the pause is over; nil without a pause
	timer *time.Timer
}

// PausedError is the error of a request that was not sent because of a pause.
type PausedError struct {
	// Wait is the whole pause that the server has demanded.
	Wait time.Duration
	why  string
}

// Error returns the message.
func (r PausedError) Error() string {
	return fmt.Sprintf("it responds with %s and asks for a pause of %s", r.why, r.Wait)
}

func (r *pause) see(answer *http.Response) {
	if answer.StatusCode < http.StatusBadRequest {
		return
	}
	wait := statestore.ParseRetryAfter(answer.Header.Get("Retry-After"), answer.Header.Get("Date"))
	if wait == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wait, r.why = wait, answer.Status
	if r.timer != nil {
		r.timer.Stop()
	}
	if r.over == nil {
		r.over = make(chan struct{})
	}
	over := r.over
	r.timer = time.AfterFunc(wait, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.over == over {
			close(over)
			r.over = nil
		}
	})
}

// await waits until the pause is over. If the whole pause is longer than patience, it returns an
// error at once.
func (r *pause) await(ctx context.Context, patience time.Duration) error {
	for {
		r.mu.Lock()
		over, wait, why := r.over, r.wait, r.why
		r.mu.Unlock()
		switch {
		case over == nil:
			return nil
		case wait > patience:
			return PausedError{wait, why}
		}
		select {
		case <-over:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// WaitOf returns the pause that the server has demanded if err is, or wraps, a PausedError, and 0
// otherwise.
func WaitOf(err error) time.Duration {
	var paused PausedError
	errors.As(err, &paused)
	return paused.Wait
}
