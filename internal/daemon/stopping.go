package daemon

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// errStopping is a write that would have begun after the daemon was asked to stop.
var errStopping = errors.New("the process is about to end; the next one writes it")

// stopping reports that the daemon is to stop.
type stopping struct {
	stop <-chan struct{}
	// met is set once something was refused for it.
	met atomic.Bool
}

func (s *stopping) isStopping() bool {
	select {
	case <-s.stop:
		s.met.Store(true)
		return true
	default:
		return false
	}
}

// stoppingStores are stores to which no write begins once the daemon is asked to
// stop. A write that has begun comes to its end.
type stoppingStores struct {
	reconcile.Opener
	*stopping
	open map[kratix.StateStoreReference]*stoppingStore
}

var (
	_ reconcile.Opener = (*stoppingStores)(nil)
	_ reconcile.Keeper = (*stoppingStores)(nil)
)

func newStoppingStores(stores reconcile.Opener, s *stopping) *stoppingStores {
	return &stoppingStores{Opener: stores, stopping: s, open: map[kratix.StateStoreReference]*stoppingStore{}}
}

// Open returns the same store again while the one behind it is the same.
func (s *stoppingStores) Open(ref kratix.StateStoreReference, spec kratix.Object, secret *kratix.Secret) (statestore.Store, error) {
	store, err := s.Opener.Open(ref, spec, secret)
	if err != nil {
		return nil, err
	}
	if was := s.open[ref]; was == nil || was.Store != store {
		s.open[ref] = &stoppingStore{Store: store, stopping: s.stopping, name: ref.String()}
	}
	return s.open[ref], nil
}

// Keep forgets the stores that are not among refs, and has them closed.
func (s *stoppingStores) Keep(refs []kratix.StateStoreReference) {
	keepOnly(s.open, refs)
	keep(s.Opener, refs)
}

// stoppingStore refuses what would begin after the daemon was asked to stop.
type stoppingStore struct {
	statestore.Store
	*stopping
	name string
}

var _ statestore.Joiner = (*stoppingStore)(nil)

func (s *stoppingStore) refusal() error {
	return &statestore.Error{Op: "write", Store: s.name, Err: errStopping}
}

// Apply writes, unless the daemon is to stop.
func (s *stoppingStore) Apply(ctx context.Context, changes statestore.ChangeSet) (statestore.Revision, error) {
	if s.isStopping() {
		return "", s.refusal()
	}
	return s.Store.Apply(ctx, changes)
}

// Joins reports whether the stores behind both can be written at once.
func (s *stoppingStore) Joins(other statestore.Store) bool {
	o, ok := other.(*stoppingStore)
	joiner, can := s.Store.(statestore.Joiner)
	return ok && can && joiner.Joins(o.Store)
}

// ApplyAll writes several stores at once, unless the daemon is to stop.
func (s *stoppingStore) ApplyAll(ctx context.Context, parts []statestore.Part) []statestore.Outcome {
	outcomes := make([]statestore.Outcome, len(parts))
	joiner, can := s.Store.(statestore.Joiner)
	behind := make([]statestore.Part, 0, len(parts))
	for _, part := range parts {
		if store, ok := part.Store.(*stoppingStore); ok && can && s.Joins(store) {
			behind = append(behind, statestore.Part{Store: store.Store, Changes: part.Changes})
		}
	}
	if len(behind) < len(parts) {
		for i, part := range parts {
			outcomes[i].Revision, outcomes[i].Err = part.Store.Apply(ctx, part.Changes)
		}
		return outcomes
	}
	if s.isStopping() {
		for i := range outcomes {
			outcomes[i].Err = s.refusal()
		}
		return outcomes
	}
	return joiner.ApplyAll(ctx, behind)
}

// stoppingBuilder notes that a build has failed since the daemon is to stop: what
// a round makes of that is not reported.
type stoppingBuilder struct {
	kustomize.Builder
	*stopping
}

// Nested builds a directory.
func (b stoppingBuilder) Nested(root, dir tree.Path, files []tree.File) (kustomize.Nested, error) {
	built, err := b.Builder.Nested(root, dir, files)
	b.note(err)
	return built, err
}

// Units builds files and directories together.
func (b stoppingBuilder) Units(root tree.Path, units []tree.Path, files []tree.File) error {
	err := b.Builder.Units(root, units, files)
	b.note(err)
	return err
}

func (s *stopping) note(err error) {
	if err != nil {
		s.isStopping()
	}
}
