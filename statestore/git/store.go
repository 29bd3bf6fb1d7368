// Package git turns the changes of a round into one commit on a branch, and a
// branch into the files a store holds. It does I/O: it talks to git servers
// over https, http and ssh, and to repositories on this machine with the help
// of the git binary.
//
// There is no worktree. The objects of the branch's newest commit are held:
// up to a limit in memory, the others in a file without a name, and of each its
// hash and position. Blobs are fetched when they are read, where the server
// allows it. A write makes the new blobs, the trees on
// changed paths and one commit, and sends exactly those. The branch is moved by
// compare-and-swap and never by force. Stores on one branch share what is known
// of it when one Pool opened them.
//
// In an empty repository the first write creates the branch, as a commit without a
// parent. A branch that does not exist in a repository with others is an error,
// unless Config.CreateBranch is set: then the first write creates it from the
// default branch (HEAD), whose files the store shows until then. A repository on
// this machine that does not exist is created, bare, by the first write.
//
// Symlinks, submodules and names that are no tree.Path are not files of the
// store: they are never followed, never read and never removed.
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

// Store is one directory on one branch of a repository. It is safe for
// concurrent use; its operations take turns.
type Store struct {
	name string
	path tree.Path
	now  func() time.Time
	style
	sign     signer
	warnings []string

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

// Close returns up the connections to the server, and what is held of the branch,
// unless another store shares them. It does not wait for what is in hand, and lets
// it end.
func (s *Store) Close() error {
	if !s.closed.Swap(true) {
		s.release()
	}
	return nil
}

// Read returns the newest state. It fetches only when the branch has moved.
// Files is shared with later States of an unchanged branch: do not change it.
func (s *Store) Read(ctx context.Context) (statestore.State, error) {
	state, err := s.read(ctx)
	state.Warnings = s.warned()
	if err != nil {
		return state, s.failure("read", err)
	}
	return state, nil
}

// warned returns what a user should know of the store, beside errors.
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
	err := s.look()
	if isMissing(err) {
		if err = s.refetch(ctx); err == nil {
			err = s.look()
		}
	}
	if err != nil {
		return statestore.State{}, err
	}
	if err := s.tidy(); err != nil {
		return statestore.State{}, err
	}
	if err := s.look(); err != nil {
		return statestore.State{}, err
	}
	return s.seen.state(), s.readAttributes(ctx)
}

// Apply makes one commit of all changes and pushes it. Changes that make no
// difference to the tree make no commit. A branch that has moved is no obstacle
// as long as the store's own directory is what it was at Base.
func (s *Store) Apply(ctx context.Context, changes statestore.ChangeSet) (statestore.Revision, error) {
	if changes.Empty() {
		return changes.Base, nil
	}
	revision, err := apply(ctx, []part{{s, changes}})
	if err != nil {
		return "", s.failure("write", err)
	}
	return revision, nil
}

// agree brings head to tip, which is where the server says the branch is; zero
// when there is no branch. What is there must be what was at base.
func (s *Store) agree(ctx context.Context, tip plumbing.Hash, base statestore.Revision) error {
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

// revision names a commit; no commit is the empty Revision.
func revision(commit plumbing.Hash) statestore.Revision {
	if commit.IsZero() {
		return ""
	}
	return statestore.Revision(commit.String())
}
