package transport

import (
	"context"
	"sync"
)

// limiter limits the number of concurrent requests. A response that the server is busy halves the
// limit. Other responses raise it a little, up to most.
type limiter struct {
	mu    sync.Mutex
	most  float64
	bound float64
	used  int
	// settling is the number of responses that do not change the limit after it was halved. It
	// starts with the number of requests that were in progress then.
	settling int
	changed  chan struct{} // closed when a slot may be free
}

func newLimiter(most int) *limiter {
	return &limiter{most: float64(most), bound: float64(most), changed: make(chan struct{})}
}

// acquire waits until fewer requests are in progress than the limit, or until ctx ends.
func (l *limiter) acquire(ctx context.Context) error {
	for {
		l.mu.Lock()
		if l.used < int(l.bound) {
			l.used++
			l.mu.Unlock()
			return nil
		}
		changed := l.changed
		l.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (l *limiter) release(busy bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.used--
	switch {
	case l.settling > 0:
		l.settling--
	case busy:
		l.bound = max(1, l.bound/2)
		l.settling = l.used
	default:
		l.bound = min(l.most, l.bound+1/l.bound)
	}
	close(l.changed)
	l.changed = make(chan struct{})
}
