package bucket

import (
	"context"
	"sync"
)

// limiter bounds the requests under way. A server that says it is busy halves
// the bound; every answer after that raises it a little, so that it finds what
// the server can bear.
type limiter struct {
	mu    sync.Mutex
	most  float64
	bound float64
	used  int
	// settling counts the answers still to come to requests that were sent
	// before the bound was halved: they say nothing new.
	settling int
	changed  chan struct{} // closed when a place may be free
}

func newLimiter(most int) *limiter {
	return &limiter{most: float64(most), bound: float64(most), changed: make(chan struct{})}
}

// acquire waits for a place.
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

// release returns a place back; busy is what the server said of itself.
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
