package reconcile

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// maxRevisions is the maximum number of revisions of a store that are kept.
const maxRevisions = 64

// maxContents is the maximum number of earlier revisions with contents, if the store can read them
// again.
const maxContents = 4

const (
	// maxLoaded is the maximum number of revisions that are kept after they were read from the
	// history.
	maxLoaded = 4
	// maxUnknown is the maximum number of revisions that are known to be missing.
	maxUnknown  = 64
	maxLoads    = 16
	loadTimeout = 20 * time.Second
)

// revisions are the last states of a store, the newest last.
type revisions struct {
	hasHistory bool
	states     []*pastState
	// loaded are states from the store's history. unknown are revisions that the history does not
	// have.
	loaded  []*pastState
	unknown []string
	loads   int
}

type pastState struct {
	revision string
	files    statestore.Files
	// contents is nil if the contents were dropped.
	contents statestore.Contents
}

// add adds the state that a round has read. revision is in the form that agents report.
func (r *revisions) add(revision string, state *statestore.State) {
	if revision == "" || state.WriteInProgress {
		return
	}
	now := &pastState{revision, state.Files, state.Contents}
	if last := r.newest(); last != nil && last.revision == revision {
		*last = *now
		return
	}
	if r.states = append(r.states, now); len(r.states) > maxRevisions {
		r.states = append(r.states[:0:0], r.states[1:]...)
	}
	if old := len(r.states) - 1 - maxContents; old >= 0 && r.hasHistory {
		r.states[old].contents = nil
	}
}

func (r *revisions) newest() *pastState {
	if len(r.states) == 0 {
		return nil
	}
	return r.states[len(r.states)-1]
}

// load reads a revision from the history of the store, if necessary. It returns false if a later
// round has to do it.
func (r *revisions) load(ctx context.Context, store statestore.Store, revision string) bool {
	switch {
	case !r.hasHistory || revision == "" || slices.Contains(r.unknown, revision):
		return true
	case slices.ContainsFunc(r.all(), func(s *pastState) bool { return s.revision == revision && s.contents != nil }):
		return true
	case r.loads >= maxLoads:
		return false
	}
	r.loads++
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	state, err := statestore.At(ctx, store, statestore.Revision(revision))
	switch {
	case err == nil:
		r.loaded = lastOf(append(r.loaded, &pastState{revision, state.Files, state.Contents}), maxLoaded)
	case errors.Is(err, statestore.ErrUnknownRevision):
		r.unknown = lastOf(append(r.unknown, revision), maxUnknown)
	default:
		return false
	}
	return true
}

func (r *revisions) all() []*pastState { return slices.Concat(r.loaded, r.states) }

func lastOf[T any](list []T, n int) []T { return append(list[:0:0], list[max(0, len(list)-n):]...) }

func (r *revisions) find(revision string) *pastState {
	if revision == "" {
		return nil
	}
	for _, states := range [][]*pastState{r.states, r.loaded} {
		for _, state := range slices.Backward(states) {
			if state.revision == revision {
				return state
			}
		}
	}
	return nil
}

var errReplaced = errors.New("the file was replaced since")

// content returns the content of a file in an earlier state.
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
