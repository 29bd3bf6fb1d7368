// Package git implements a state store in a directory of a git branch. It writes a ChangeSet as one
// commit. It does I/O: it connects to git servers over https, http and ssh, and runs the git binary
// for local repositories.
//
// The objects of the newest commit are cached, in memory up to a limit and then in a file. If the
// server supports it, blobs are fetched when they are read. The branch is moved by
// compare-and-swap.
//
// The first write creates the branch in an empty repository, and a missing local repository. If the
// repository has other branches, a missing branch is an error, unless Config.CreateBranch is set.
//
// Symlinks, submodules and names that are not valid in a tree.Path are not files of the store.
package git

import (
	"context"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Store is one directory on one branch of a repository. It is safe for concurrent use.
type Store struct {
	name string
	path tree.Path
	now  func() time.Time
	style
	sign     signer
	warnings []string
	notices  notices

	*branch
	seen       view
	attributes attributes
	closed     atomic.Bool
}

var (
	_ statestore.Store  = (*Store)(nil)
	_ statestore.Prober = (*Store)(nil)
	_ io.Closer         = (*Store)(nil)
)

// Close closes the connections and drops the objects of the branch, unless another store shares
// them. It does not wait for an operation in progress.
func (s *Store) Close() error {
	if !s.closed.Swap(true) {
		s.release()
	}
	return nil
}

// Read returns the newest state. The State has warnings even if there is an error.
func (s *Store) Read(ctx context.Context) (statestore.State, error) {
	state, err := s.read(ctx)
	state.Warnings = s.warned()
	if err != nil {
		return state, s.failure("read", err)
	}
	return state, nil
}

func (s *Store) warned() []string {
	said := slices.Clone(s.warnings)
	if moved := s.remote.moved.warning(); moved != "" {
		said = append(said, moved)
	}
	return append(said, s.attributes.warnings()...)
}

func (s *Store) read(ctx context.Context) (statestore.State, error) {
	asked := s.asked.Load()
	if err := s.begin(ctx); err != nil {
		return statestore.State{}, err
	}
	defer s.end()
	s.accepts = false
	if err := s.pullSince(ctx, asked); err != nil {
		return statestore.State{}, err
	}
	err := s.updateView()
	if isMissing(err) {
		if err = s.refetch(ctx); err == nil {
			err = s.updateView()
		}
	}
	if err != nil {
		return statestore.State{}, err
	}
	if err := s.tidy(); err != nil {
		return statestore.State{}, err
	}
	if err := s.updateView(); err != nil {
		return statestore.State{}, err
	}
	return s.seen.state(), s.readAttributes(ctx)
}

// Apply makes one commit with all changes and pushes it, unless the tree stays the same. It may
// return ErrStale if the branch has moved since changes.Base.
func (s *Store) Apply(ctx context.Context, changes statestore.ChangeSet) (statestore.Revision, error) {
	if changes.Empty() {
		return changes.Base, nil
	}
	revision, err := apply(ctx, []commitChanges{{s, changes}})
	if err != nil {
		return "", s.failure("write", err)
	}
	return revision, nil
}

// checkBase returns ErrStale unless the store's directory is known to be the same as at base. tip
// is the branch's commit on the server, or zero if there is no branch.
func (s *Store) checkBase(ctx context.Context, tip plumbing.Hash, base statestore.Revision) error {
	if !tip.IsZero() && revision(tip) != base && (s.path.IsRoot() || base != revision(s.seen.commit)) {
		return statestore.ErrStale
	}
	if tip.IsZero() || tip != s.head {
		if err := s.pull(ctx); err != nil {
			return err
		}
	}
	switch {
	case revision(s.head) == base:
		return nil
	case tip.IsZero() || tip != s.head || base != revision(s.seen.commit):
		return statestore.ErrStale
	}
	dir, err := s.directory()
	if err == nil && dir != s.seen.dir {
		return statestore.ErrStale
	}
	return err
}

func revision(commit plumbing.Hash) statestore.Revision {
	if commit.IsZero() {
		return ""
	}
	return statestore.Revision(commit.String())
}
