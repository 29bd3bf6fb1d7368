package reconcile

import (
	"context"
	"errors"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// maxRevisions bounds the number of revisions that are kept of a store. They share equal
// subtrees, so each takes memory only for its changes.
const maxRevisions = 64

// maxContents bounds the number of revisions whose contents can be read. They share nothing: a
// bucket keeps a whole listing for each.
const maxContents = 4

// revisions are the last states of a store, the newest last. With them, the revision that an
// agent reports can be compared with the current files.
type revisions struct{ states []pastState }

// pastState is the content of a store at a revision.
type pastState struct {
	revision statestore.Revision
	files    statestore.Files
	// contents is nil except in the last maxContents revisions.
	contents statestore.Contents
}

// add adds the state that a round has read. The revision that is the newest already is replaced.
func (r *revisions) add(state *statestore.State) {
	if state.Revision == "" || state.WriteInProgress {
		return
	}
	now := pastState{state.Revision, state.Files, state.Contents}
	if last := len(r.states) - 1; last >= 0 && r.states[last].revision == state.Revision {
		r.states[last] = now
		return
	}
	if r.states = append(r.states, now); len(r.states) > maxRevisions {
		r.states = append(r.states[:0:0], r.states[1:]...)
	}
	if old := len(r.states) - 1 - maxContents; old >= 0 {
		r.states[old].contents = nil
	}
}

// errReplaced is the error of a file that was replaced too long ago to be read.
var errReplaced = errors.New("the file was replaced since")

// content returns the content of a file at an earlier state. It reads it from the newest state
// that has the same file.
func (r *revisions) content(ctx context.Context, then *pastState, path tree.Path) ([]byte, error) {
	digest, _ := then.files.Digest(path)
	for i := len(r.states) - 1; i >= 0 && r.states[i].contents != nil; i-- {
		if now, there := r.states[i].files.Digest(path); there && now == digest {
			return r.states[i].contents.Content(ctx, path)
		}
	}
	return nil, errReplaced
}

// find returns the newest state with a revision; nil if it is not known.
func (r *revisions) find(revision string) *pastState {
	for i := len(r.states) - 1; i >= 0 && revision != ""; i-- {
		if string(r.states[i].revision) == revision {
			return &r.states[i]
		}
	}
	return nil
}
