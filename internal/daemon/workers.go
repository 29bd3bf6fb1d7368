package daemon

import (
	"maps"
	"slices"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
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
	reconcile.Opener
	workers *worker.Workers
	open    map[kratix.StateStoreReference]statestore.Store
}

var _ reconcile.Opener = (*workedStores)(nil)

// newWorkedStores puts workers before stores; wake is called when one of them
// has something new to say, resting when one has failed or works again.
func newWorkedStores(stores reconcile.Opener, wake func(), resting func(store string, failures int, pause time.Duration)) *workedStores {
	return &workedStores{
		Opener: stores, open: map[kratix.StateStoreReference]statestore.Store{},
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
	if was := s.open[ref]; was != nil && was != store {
		s.workers.Forget(was)
	}
	s.open[ref] = store
	return s.workers.Wrap(ref.String(), store), nil
}

// Keep forgets the workers of stores that are not among refs, and has the stores
// closed.
func (s *workedStores) Keep(refs []kratix.StateStoreReference) {
	for ref, store := range s.open {
		if !slices.Contains(refs, ref) {
			s.workers.Forget(store)
		}
	}
	keepOnly(s.open, refs)
	keep(s.Opener, refs)
}

// keepOnly forgets the stores that are not among refs.
func keepOnly[S any](open map[kratix.StateStoreReference]S, refs []kratix.StateStoreReference) {
	maps.DeleteFunc(open, func(ref kratix.StateStoreReference, _ S) bool { return !slices.Contains(refs, ref) })
}

// keep has an Opener close the stores that are not among refs, if it keeps any.
func keep(stores reconcile.Opener, refs []kratix.StateStoreReference) {
	if keeper, ok := stores.(reconcile.Keeper); ok {
		keeper.Keep(refs)
	}
}
