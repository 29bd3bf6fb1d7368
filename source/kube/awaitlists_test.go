package kube

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

func TestLongListsAreAwaitedAsLongAsObjectsArrive(t *testing.T) {
	for name, test := range map[string]struct {
		between, takes time.Duration
		want           error
	}{
		"objects arrive":                   {20 * time.Second, 5 * time.Minute, nil},
		"no object arrives for 30 seconds": {2 * time.Minute, 5 * time.Minute, errNotSeen},
		"objects arrive for ever":          {20 * time.Second, 24 * time.Hour, errNotSeen},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &Source{works: &mirror[*kratix.Work]{}, placements: &mirror[*kratix.WorkPlacement]{}, moved: make(chan struct{})}
				isComplete := false
				go func() {
					for end := time.Now().Add(test.takes); time.Now().Before(end); {
						select {
						case <-t.Context().Done():
							return
						case <-time.After(test.between):
						}
						s.placements.received.Add(1)
					}
					s.mu.Lock()
					isComplete = true
					close(s.moved)
					s.moved = make(chan struct{})
					s.mu.Unlock()
				}()
				err := s.awaitLists(t.Context(), func() error {
					s.mu.Lock()
					defer s.mu.Unlock()
					if !isComplete {
						return errNotSeen
					}
					return nil
				})
				if !errors.Is(err, test.want) {
					t.Errorf("%v, want %v", err, test.want)
				}
			})
		})
	}
}
