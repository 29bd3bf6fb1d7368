package daemon

import (
	"slices"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/worker"
)

// How long a round waits for a store, once and again for one that is slow as a
// rule, and how long one that failed is left alone.
const (
	storePatience   = 2 * time.Second
	longestPatience = 20 * time.Second
	firstPause      = time.Second
	longestPause    = 5 * time.Minute
)

// workedStores has for each store a worker of its own, so that one that is slow or
// down delays no other.
type workedStores struct {
	statestore.Opener
	workers *worker.Workers
	open    map[kratix.StateStoreReference]statestore.View
}

var _ statestore.Opener = (*workedStores)(nil)

// newWorkedStores puts workers before stores; wake is called when one of them
// has something new to say, resting when one has failed or works again.
func newWorkedStores(stores statestore.Opener, wake func(), resting func(store string, failures int, pause time.Duration)) *workedStores {
	return &workedStores{
		Opener: stores, open: map[kratix.StateStoreReference]statestore.View{},
		workers: &worker.Workers{
			Patience: storePatience, LongestPatience: longestPatience, FirstPause: firstPause, LongestPause: longestPause,
			Wake: wake, Resting: resting,
		},
	}
}

// Open returns the worker of a store. One that was opened anew, since what
// describes it has changed, begins without the other's failures.
func (s *workedStores) Open(ref kratix.StateStoreReference, spec kratix.Object, secret *kratix.Secret) (statestore.Store, error) {
	store, err := s.Opener.Open(ref, spec, secret)
	if err != nil {
		return nil, err
	}
	view := statestore.ViewOf(ref.String(), store)
	if was, ok := s.open[ref]; ok && was != view {
		s.workers.Forget(was)
	}
	s.open[ref] = view
	return s.workers.Wrap(view), nil
}

// Keep forgets the workers of stores that are not among refs, and has the stores
// closed.
func (s *workedStores) Keep(refs []kratix.StateStoreReference) {
	for ref, view := range s.open {
		if !slices.Contains(refs, ref) {
			s.workers.Forget(view)
			delete(s.open, ref)
		}
	}
	statestore.Keep(s.Opener, refs)
}
