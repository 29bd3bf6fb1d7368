package reconcile

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// maxRevisions bounds the number of revisions that are kept of a store. They share equal
// subtrees, so each takes memory only for its changes.
const maxRevisions = 64

// maxContents bounds the number of revisions whose contents are kept if the store can read them
// again from its history.
const maxContents = 4

// maxLoaded bounds the number of revisions that are kept after they were read from the history
// of a store, and the number of those that could not be read.
const maxLoaded = 4

// loadTimeout bounds the time for reading a revision from the history of a store.
const loadTimeout = 20 * time.Second

// revisions are the last states of a store, the newest last. With them, the revision that an
// agent reports can be compared with the current files.
type revisions struct {
	// hasHistory reports whether the store can read earlier states.
	hasHistory bool
	states     []*pastState
	// loaded are older states that were read from the store's history; unknown are revisions that
	// the history does not have.
	loaded  []*pastState
	unknown []string
}

// pastState is the content of a store at a revision.
type pastState struct {
	revision string
	files    statestore.Files
	// contents is nil if it was dropped.
	contents statestore.Contents
}

// add adds the state that a round has read, with its revision as agents report it. If the newest
// state has the same revision, it is replaced.
func (r *revisions) add(revision string, state *statestore.State) {
	if revision == "" || state.WriteInProgress {
		return
	}
	now := &pastState{revision, state.Files, state.Contents}
	if last := len(r.states) - 1; last >= 0 && r.states[last].revision == revision {
		r.states[last] = now
		return
	}
	if r.states = append(r.states, now); len(r.states) > maxRevisions {
		r.states = append(r.states[:0:0], r.states[1:]...)
	}
	if old := len(r.states) - 1 - maxContents; old >= 0 && r.hasHistory {
		r.states[old].contents = nil
	}
}

// newest returns the newest state; nil if there is none.
func (r *revisions) newest() *pastState {
	if len(r.states) == 0 {
		return nil
	}
	return r.states[len(r.states)-1]
}

// load reads a revision from the history of the store, unless its contents can be read already.
func (r *revisions) load(ctx context.Context, store statestore.Store, revision string) {
	if !r.hasHistory || revision == "" || r.isReadable(revision) || slices.Contains(r.unknown, revision) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	switch state, err := statestore.At(ctx, store, statestore.Revision(revision)); {
	case err == nil:
		r.loaded = lastOf(append(r.loaded, &pastState{revision, state.Files, state.Contents}), maxLoaded)
	case errors.Is(err, statestore.ErrUnknownRevision):
		r.unknown = lastOf(append(r.unknown, revision), maxLoaded)
	}
}

// isReadable reports whether the contents of a revision can be read.
func (r *revisions) isReadable(revision string) bool {
	return slices.ContainsFunc(r.all(), func(s *pastState) bool { return s.revision == revision && s.contents != nil })
}

// all returns all states, the newest last.
func (r *revisions) all() []*pastState { return slices.Concat(r.loaded, r.states) }

// lastOf returns at most n elements at the end of a list.
func lastOf[T any](list []T, n int) []T { return append(list[:0:0], list[max(0, len(list)-n):]...) }

// find returns the newest state with a revision; nil if it is not known.
func (r *revisions) find(revision string) *pastState {
	for _, state := range slices.Backward(r.all()) {
		if state.revision == revision && revision != "" {
			return state
		}
	}
	return nil
}

// errReplaced is the error of a file that was replaced too long ago to be read.
var errReplaced = errors.New("the file was replaced since")

// content returns the content of a file at an earlier state. The content is read from the newest
// state that has the same file and can be read.
func (r *revisions) content(ctx context.Context, then *pastState, path tree.Path) ([]byte, error) {
	digest, _ := then.files.Digest(path)
	err := errReplaced
	for _, state := range slices.Backward(r.all()) {
		if now, there := state.files.Digest(path); !there || now != digest || state.contents == nil {
			continue
		}
		var content []byte
		if content, err = state.contents.Content(ctx, path); err == nil {
			return content, nil
		}
	}
	return nil, err
}
