package daemon

import (
	"slices"
	"sync"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/worker"
)

// A round waits storePatience for a store, or up to longestPatience for a slow store. The pause
// after failures of a store grows from firstPause to longestPause.
const (
	storePatience   = 2 * time.Second
	longestPatience = 20 * time.Second
	firstPause      = time.Second
	longestPause    = 5 * time.Minute
)

type workerStores struct {
	statestore.Opener
	workers *worker.Workers

	mu   sync.Mutex
	open map[kratix.StateStoreReference]statestore.View
}

var _ statestore.Opener = (*workerStores)(nil)

func newWorkerStores(stores statestore.Opener, wake func(), resting func(store string, failures int, pause time.Duration)) *workerStores {
	return &workerStores{
		Opener: stores, open: map[kratix.StateStoreReference]statestore.View{},
		workers: &worker.Workers{
			Patience: storePatience, LongestPatience: longestPatience, FirstPause: firstPause, LongestPause: longestPause,
			Wake: wake, Resting: resting,
		},
	}
}

// Open returns a store that its worker accesses.
func (s *workerStores) Open(ref kratix.StateStoreReference, spec kratix.Object, secret *kratix.Secret) (statestore.Store, error) {
	store, err := s.Opener.Open(ref, spec, secret)
	if err != nil {
		return nil, err
	}
	view := statestore.ViewOf(ref.String(), store)
	s.mu.Lock()
	defer s.mu.Unlock()
	if was, ok := s.open[ref]; ok && was != view {
		s.workers.Forget(was)
	}
	s.open[ref] = view
	return s.workers.Wrap(view), nil
}

// last returns an open store without its worker, and the last state that a round has read. ok is
// false if no round has read the store.
func (s *workerStores) last(ref kratix.StateStoreReference) (view statestore.View, state statestore.State, ok bool) {
	s.mu.Lock()
	view, ok = s.open[ref]
	s.mu.Unlock()
	if !ok {
		return view, state, false
	}
	state, ok = s.workers.Last(view)
	return view, state, ok
}

func (s *workerStores) Keep(refs []kratix.StateStoreReference) {
	s.mu.Lock()
	for ref, view := range s.open {
		if !slices.Contains(refs, ref) {
			s.workers.Forget(view)
			delete(s.open, ref)
		}
	}
	s.mu.Unlock()
	statestore.Keep(s.Opener, refs)
}
