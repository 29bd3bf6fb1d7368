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

// errStopping is the error of a write that was to begin after the daemon was stopped.
var errStopping = errors.New("the process is about to end; the next one writes it")

type stopping struct {
	stop <-chan struct{}
	// met means that the shutdown has prevented a write or a build.
	met atomic.Bool
	// flushing means that writes are permitted again, for changes that wait for their commit.
	flushing atomic.Bool
}

// flush reports whether the daemon is stopping. If so, it permits writes again.
func (s *stopping) flush() bool {
	select {
	case <-s.stop:
		s.flushing.Store(true)
		return true
	default:
		return false
	}
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

// stoppingStores opens stores that begin no write after the daemon is stopped, unless flushing is
// set.
type stoppingStores struct {
	statestore.Opener
	*stopping
}

var (
	_ statestore.Opener = stoppingStores{}
	_ statestore.Keeper = stoppingStores{}
)

func (s stoppingStores) Open(ref kratix.StateStoreReference, spec kratix.Object, secret *kratix.Secret) (statestore.Store, error) {
	store, err := s.Opener.Open(ref, spec, secret)
	if err != nil {
		return nil, err
	}
	view := statestore.ViewOf(ref.String(), store)
	return view.Through(stoppingLocation{view.Location, s.stopping}), nil
}

func (s stoppingStores) Keep(refs []kratix.StateStoreReference) { statestore.Keep(s.Opener, refs) }

type stoppingLocation struct {
	statestore.Location
	*stopping
}

func (l stoppingLocation) Write(ctx context.Context, parts []statestore.ViewChanges) []statestore.Outcome {
	if !l.flushing.Load() && l.isStopping() {
		return statestore.Refuse(parts, func(view statestore.View) error {
			return &statestore.Error{Op: "write", Store: view.Name, Err: errStopping}
		})
	}
	return l.Location.Write(ctx, parts)
}

// stoppingBuilder records builds that fail while the daemon is stopping.
type stoppingBuilder struct {
	kustomize.Builder
	*stopping
}

func (b stoppingBuilder) Nested(root, dir tree.Path, files []tree.File) (kustomize.Nested, error) {
	built, err := b.Builder.Nested(root, dir, files)
	b.note(err)
	return built, err
}

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
