package projected

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/layout"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/tree"
)

// store is the projection of one state store.
type store struct {
	stores *Stores
	ref    kratix.StateStoreReference
	// inner is the store as it is now; nil if it cannot be opened, and why.
	inner statestore.Store
	why   error

	// real are the files of inner when it was read last, files what was made of them.
	real, files statestore.Files
	// probe tells one way of making sums from another.
	probe statestore.Sum
	// on has what WorkPlacements put on each Destination.
	on map[string]*overlay
	// laid are the files of all of these, and where each one is from.
	laid map[tree.Path]laidFile
	// outgoing are the paths at which the store still has something else.
	outgoing outgoing
}

var _ statestore.Store = (*store)(nil)

// laidFile is a file that a WorkPlacement puts somewhere.
type laidFile struct {
	sum statestore.Sum
	by  *overlay
}

// Apply writes nothing: Kratix does.
func (s *store) Apply(_ context.Context, changes statestore.ChangeSet) (statestore.Revision, error) {
	return changes.Base, nil
}

// Read returns what the store will hold once Kratix has written all there is.
func (s *store) Read(ctx context.Context) (statestore.State, error) {
	state, err := s.readInner(ctx)
	if err != nil {
		return state, err
	}
	contents := state.Contents
	if contents == nil {
		contents = nothing{}
	}
	if probe := contents.Sum(nil); probe != s.probe {
		*s = store{stores: s.stores, ref: s.ref, inner: s.inner, why: s.why, probe: probe}
	}
	if err := s.project(ctx, state.Files, contents); err != nil {
		return state, err
	}
	now := view{real: contents, laid: s.laid}
	state.Files, state.Contents, state.Stepwise = s.files, now, true
	state.Outgoing, err = s.outgoing.files(ctx, contents)
	return state, err
}

func (s *store) readInner(ctx context.Context) (statestore.State, error) {
	if s.inner != nil {
		return s.inner.Read(ctx)
	}
	return statestore.State{Warnings: []string{fmt.Sprintf(
		"it cannot be opened (%v), so that only WorkPlacements are looked at, and not what others have put there", s.why)}}, nil
}

// project brings the files to what the store and the WorkPlacements are now, and
// looks closely only at what has changed.
func (s *store) project(ctx context.Context, stored statestore.Files, contents statestore.Contents) error {
	if s.laid == nil {
		s.on, s.laid = map[string]*overlay{}, map[tree.Path]laidFile{}
	}
	stale := map[tree.Path]bool{}
	destinations := s.stores.destinations[s.ref]
	for name, was := range s.on {
		if !slices.Contains(destinations, was.destination) {
			s.take(was, nil, stale)
			delete(s.on, name)
		}
	}
	bases := make([]tree.Path, 0, len(destinations))
	for _, d := range destinations {
		records, err := layout.RecordsDir(d)
		if err != nil {
			continue // such a Destination has no files
		}
		bases = append(bases, records)
		placements := s.stores.placements[d.Name]
		was := s.on[d.Name]
		if was != nil && was.destination == d && slices.Equal(was.placements, placements) && was.lists.Same(stored, records) {
			continue
		}
		made, err := newOverlay(ctx, d, placements, was, stored.Within(records), contents)
		if err != nil {
			return err
		}
		s.take(was, made, stale)
		s.on[d.Name] = made
	}
	for path := range stored.Differing(s.real) {
		stale[path] = true
	}
	s.real = stored
	s.refresh(stale, bases)
	return nil
}

// take puts a Destination's overlay into the place of the one before; either may be
// nil. It adds to stale where the two differ.
func (s *store) take(was, made *overlay, stale map[tree.Path]bool) {
	if was != nil {
		for path := range was.sums {
			if s.laid[path].by == was {
				delete(s.laid, path)
			}
			stale[path] = true
		}
	}
	if made != nil {
		for path, sum := range made.sums {
			s.laid[path] = laidFile{sum, made}
			stale[path] = true
		}
	}
	if s.inner == nil && was != nil {
		s.outgoing.remember(was, made, s.stores.Now())
	}
}

// refresh sets the files at the paths that may have changed. What the store has
// among the records of a Destination is left out: each WorkPlacement has its record
// here, and nothing else counts.
func (s *store) refresh(stale map[tree.Path]bool, records []tree.Path) {
	changes := make([]statestore.FileChange, 0, len(stale))
	for path := range stale {
		laid, isLaid := s.laid[path]
		sum, there := s.real.Sum(path)
		isRecord := slices.ContainsFunc(records, path.Within)
		s.outgoing.note(path, isLaid && there && sum != laid.sum && !isRecord, sum)
		switch {
		case isLaid:
			changes = append(changes, statestore.FileChange{Path: path, Sum: laid.sum})
		case there && !isRecord:
			changes = append(changes, statestore.FileChange{Path: path, Sum: sum})
		default:
			changes = append(changes, statestore.FileChange{Path: path, Gone: true})
		}
	}
	s.files = s.files.With(changes)
	s.outgoing.forget(s.stores.Now())
}

// view has the contents of a projected state.
type view struct {
	real statestore.Contents
	laid map[tree.Path]laidFile
}

// Sum makes sums as the store does.
func (v view) Sum(content []byte) statestore.Sum { return v.real.Sum(content) }

// Content returns what lies, or will lie, at a path.
func (v view) Content(ctx context.Context, p tree.Path) ([]byte, error) {
	if laid, ok := v.laid[p]; ok {
		return laid.by.content(p)
	}
	return v.real.Content(ctx, p)
}

// nothing has the contents of a store that has none.
type nothing struct{}

func (nothing) Sum(content []byte) statestore.Sum { return sha256.Sum256(content) }

func (nothing) Content(_ context.Context, p tree.Path) ([]byte, error) {
	return nil, fmt.Errorf("no file %s", p)
}
