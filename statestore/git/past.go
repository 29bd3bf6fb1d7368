package git

import (
	"context"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

var _ statestore.Historian = (*Store)(nil)

// At returns the state at an earlier commit. It fetches the commit if its objects are not cached.
func (s *Store) At(ctx context.Context, revision statestore.Revision) (statestore.State, error) {
	unknown := &statestore.Error{Op: "read", Store: s.name, Err: statestore.ErrUnknownRevision}
	if !plumbing.IsHash(string(revision)) {
		return statestore.State{}, unknown
	}
	if err := s.begin(ctx); err != nil {
		return statestore.State{}, err
	}
	defer s.end()
	commit := plumbing.NewHash(string(revision))
	past, err := s.viewAt(s.objects, commit)
	if isMissing(err) {
		var fetched *objects
		if fetched, err = s.fetchPast(ctx, commit); err == nil {
			past, err = s.viewAt(fetched, commit)
		}
	}
	switch {
	case isMissing(err) || isRefusedWant(err):
		return statestore.State{}, unknown
	case err != nil:
		return statestore.State{}, s.failure("read", err)
	}
	return past.state(), nil
}

// maxPastDepth is the maximum depth of a fetch of several commits with their files.
const maxPastDepth = 64

// fetchPast returns the objects of an earlier commit, or of the newest commits if the server does
// not send that commit by its hash.
func (b *branch) fetchPast(ctx context.Context, commit plumbing.Hash) (*objects, error) {
	session, refs, err := advertise(ctx, b.remote, b.remote.client.NewUploadPackSession)
	if err != nil {
		return nil, err
	}
	if b.remote.start(refs).IsZero() {
		session.Close() //nolint:errcheck // the response is complete
		return nil, missing{commit}
	}
	into := newObjects()
	into.partial = !b.whole && sendsBlobs(refs)
	err = fetch(ctx, session, commitRequest(refs, commit, into.partial), into, nil)
	if err == nil || !isRefusedWant(err) {
		return into, err
	}
	if session, refs, err = advertise(ctx, b.remote, b.remote.client.NewUploadPackSession); err != nil {
		return nil, err
	}
	ask := commitRequest(refs, b.remote.start(refs), false)
	if ask.Depth.IsZero() {
		session.Close() //nolint:errcheck // the response is complete
		return nil, missing{commit}
	}
	ask.Depth = packp.DepthCommits(maxPastDepth)
	into = newObjects()
	return into, fetch(ctx, session, ask, into, nil)
}

// viewAt returns the view of the store's directory at a commit.
func (s *Store) viewAt(held *objects, commit plumbing.Hash) (view, error) {
	dir, err := s.directoryAt(held, commit)
	if err != nil {
		return view{}, err
	}
	w := walk{was: s.seen.objects, is: held}
	if err := w.differ(tree.Path{}, s.seen.dir, dir); err != nil {
		return view{}, err
	}
	return view{
		commit: commit, dir: dir, objects: held, files: s.seen.files.With(w.changes), read: true, store: s, ahead: &prefetched{},
	}, nil
}
