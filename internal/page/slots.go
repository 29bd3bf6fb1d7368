package page

import (
	"context"
	"sync"
)

// slots is a lock for one holder at a time. The zero value is ready for use.
type slots struct {
	once sync.Once
	free chan struct{}
}

// take reports whether it got the slot before ctx ended. If so, the caller must call give.
func (s *slots) take(ctx context.Context) bool {
	s.once.Do(func() { s.free = make(chan struct{}, 1) })
	select {
	case s.free <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (s *slots) give() { <-s.free }
