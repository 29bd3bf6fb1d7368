package daemon

import (
	"context"
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/share"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// sharedStores are stores that are written only while their places are this
// replica's.
type sharedStores struct {
	reconcile.Opener
	share *share.Share
	open  map[kratix.StateStoreReference]*sharedStore
}

var _ reconcile.Opener = (*sharedStores)(nil)

func newSharedStores(stores reconcile.Opener, by *share.Share) *sharedStores {
	return &sharedStores{Opener: stores, share: by, open: map[kratix.StateStoreReference]*sharedStore{}}
}

// Open returns the same store again while the one behind it is the same.
func (s *sharedStores) Open(ref kratix.StateStoreReference, spec kratix.Object, secret *kratix.Secret) (statestore.Store, error) {
	store, err := s.Opener.Open(ref, spec, secret)
	if err != nil {
		return nil, err
	}
	if was := s.open[ref]; was == nil || was.Store != store {
		s.open[ref] = &sharedStore{Store: store, share: s.share, name: ref.String(), place: kratix.LocationOf(ref, spec).Place}
	}
	return s.open[ref], nil
}

// Keep forgets the stores that are not among refs, and has them closed.
func (s *sharedStores) Keep(refs []kratix.StateStoreReference) {
	keepOnly(s.open, refs)
	keep(s.Opener, refs)
}

// sharedStore is a store whose place several replicas may write to, one at a time.
type sharedStore struct {
	statestore.Store
	share       *share.Share
	name, place string
}

var _ statestore.Joiner = (*sharedStore)(nil)

// Apply writes if the place is this replica's, which it stays until the write is
// over.
func (s *sharedStore) Apply(ctx context.Context, changes statestore.ChangeSet) (statestore.Revision, error) {
	if !s.share.Begin(s.place) {
		return "", s.givenUp()
	}
	defer s.share.End(s.place)
	return s.Store.Apply(ctx, changes)
}

func (s *sharedStore) givenUp() error {
	return &statestore.Error{Op: "write", Store: s.name, Err: fmt.Errorf("%w: another replica writes there now", statestore.ErrStale)}
}

// Joins reports whether the stores behind both can be written at once.
func (s *sharedStore) Joins(other statestore.Store) bool {
	o, ok := other.(*sharedStore)
	joiner, can := s.Store.(statestore.Joiner)
	return ok && can && o.place == s.place && joiner.Joins(o.Store)
}

// ApplyAll writes several stores in one place at once.
func (s *sharedStore) ApplyAll(ctx context.Context, parts []statestore.Part) []statestore.Outcome {
	outcomes := make([]statestore.Outcome, len(parts))
	joiner, can := s.Store.(statestore.Joiner)
	if !can || slices.ContainsFunc(parts, func(part statestore.Part) bool { return !s.Joins(part.Store) }) {
		for i, part := range parts {
			outcomes[i].Revision, outcomes[i].Err = part.Store.Apply(ctx, part.Changes)
		}
		return outcomes
	}
	if !s.share.Begin(s.place) {
		for i := range outcomes {
			outcomes[i].Err = s.givenUp()
		}
		return outcomes
	}
	defer s.share.End(s.place)
	behind := make([]statestore.Part, 0, len(parts))
	for _, part := range parts {
		if store, ok := part.Store.(*sharedStore); ok { // it joins
			behind = append(behind, statestore.Part{Store: store.Store, Changes: part.Changes})
		}
	}
	return joiner.ApplyAll(ctx, behind)
}
