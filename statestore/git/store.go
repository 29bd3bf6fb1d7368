// Package git implements a state store in a directory of a git branch. It writes a ChangeSet as one
// commit, and reads the branch without a worktree. It does I/O: it connects to git servers over
// https, http and ssh, and runs the git binary for local repositories.
//
// The objects of the branch's newest commit are cached. Their contents are in memory up to a limit,
// and then in a file without a name. Hashes and positions are always in memory. If the server
// supports it, blobs are fetched only when they are read. A write creates the new blobs, the trees
// on changed paths and one commit, and sends only these objects. The branch is moved by
// compare-and-swap and never by force. Stores on one branch that one Pool has opened with the same
// credentials share the objects.
//
// In an empty repository, the first write creates the branch, as a commit without a parent. If the
// repository has other branches and not this one, that is an error, unless Config.CreateBranch is
// set. Then the first write creates the branch from the default branch (HEAD), whose files Read
// returns until then. If a local repository does not exist, the first write creates it as a bare
// repository.
//
// Symlinks, submodules and names that are not valid in a tree.Path are not files of the store. They
// are never followed, read or removed.
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

// Store is one directory on one branch of a repository. It is safe for concurrent use. Its
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

// Close closes the connections to the server and drops the objects of the branch, unless another
// store shares them. If an operation is in progress, Close returns at once, and the connections are
// closed after the operation.
func (s *Store) Close() error {
	if !s.closed.Swap(true) {
		s.release()
	}
	return nil
}

// Read returns the newest state. It fetches objects only if the branch has moved. As long as the
// branch is unchanged, all States share their Files.
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

// Apply makes one commit with all changes and pushes it. It makes no commit if the tree stays the
// same. The branch may have moved since Base, if the store's own directory is still the same.
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
// is the branch's commit on the server, or zero if there is no branch. If head is another commit,
// checkBase pulls the branch.
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
