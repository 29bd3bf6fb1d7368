package page

import (
	"context"
	"sync"
)

// slots bounds how much runs at the same time: at most one at a time. The zero value is ready for
// use.
type slots struct {
	once sync.Once
	free chan struct{}
}

// take waits for the slot and reports whether it got it before ctx ended. The caller must call give
// after a successful take.
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
