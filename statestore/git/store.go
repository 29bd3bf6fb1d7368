// Package git implements a state store in a directory of a git branch. It writes the
// changes of a round as one commit, and reads the branch without a worktree. It does I/O:
// it connects to git servers over https, http and ssh, and runs the git binary for local
// repositories.
//
// The objects of the branch's newest commit are kept in memory up to a limit, and beyond it in a
// file without a name. The hash and position of each object are always in memory. Blobs are fetched
// when they are read, if the server supports that. A write creates the new blobs, the trees on
// changed paths and one commit, and sends only these objects. The branch is moved by
// compare-and-swap and never by force. Stores of one branch that one Pool opened share the branch's
// objects.
//
// In an empty repository the first write creates the branch, as a commit without a parent.
// A missing branch in a repository with others is an error, unless Config.CreateBranch is
// set: then the first write creates it from the default branch (HEAD), whose files the
// store shows until then. A local repository that does not exist is created, bare, by the
// first write.
//
// Symlinks, submodules and names that are not valid as a tree.Path are not files of the
// store: they are never followed, read or removed.
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

// Store is one directory on one branch of a repository. It is safe for concurrent use; its
// operations run one at a time.
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

// Close closes the connections to the server and drops the branch's objects, unless another store
// shares them. If an operation is in progress, Close returns at once, and the end of the operation
// closes the connections.
func (s *Store) Close() error {
	if !s.closed.Swap(true) {
		s.release()
	}
	return nil
}

// Read returns the newest state. It fetches only if the branch has moved. All States of an
// unchanged branch share their Files.
func (s *Store) Read(ctx context.Context) (statestore.State, error) {
	state, err := s.read(ctx)
	state.Warnings = s.warned()
	if err != nil {
		return state, s.failure("read", err)
	}
	return state, nil
}

// warned returns the current warnings about the store.
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

// Apply makes one commit of all changes and pushes it. If the changes do not change the
// tree, it makes no commit. The branch may have moved, as long as the store's own directory
// is the same as at Base.
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

// checkBase advances head to tip, which is the branch's commit on the server, or zero if there is
// no branch. It fails with ErrStale if the store's directory is not the same as at base.
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

// revision returns the Revision of a commit; empty for the zero commit.
func revision(commit plumbing.Hash) statestore.Revision {
	if commit.IsZero() {
		return ""
	}
	return statestore.Revision(commit.String())
}
