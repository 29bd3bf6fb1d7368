package daemon

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
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
	statestore.Opener
	*stopping
}

var (
	_ statestore.Opener = stoppingStores{}
	_ statestore.Keeper = stoppingStores{}
)

// Open returns a store behind the question whether the daemon is to stop.
func (s stoppingStores) Open(ref kratix.StateStoreReference, spec kratix.Object, secret *kratix.Secret) (statestore.Store, error) {
	store, err := s.Opener.Open(ref, spec, secret)
	if err != nil {
		return nil, err
	}
	view := statestore.ViewOf(ref.String(), store)
	return view.Behind(stoppingLocation{view.Location, s.stopping}), nil
}

// Keep has the stores closed that are not among refs.
func (s stoppingStores) Keep(refs []kratix.StateStoreReference) { statestore.Keep(s.Opener, refs) }

// stoppingLocation refuses what would begin after the daemon was asked to stop.
type stoppingLocation struct {
	statestore.Location
	*stopping
}

// Write writes, unless the daemon is to stop.
func (l stoppingLocation) Write(ctx context.Context, parts []statestore.ViewPart) []statestore.Outcome {
	if l.isStopping() {
		return statestore.Refuse(parts, func(view statestore.View) error {
			return &statestore.Error{Op: "write", Store: view.Name, Err: errStopping}
		})
	}
	return l.Location.Write(ctx, parts)
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
