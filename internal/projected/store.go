package projected

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

type store struct {
	stores *Stores
	ref    kratix.StateStoreReference
	// inner is the real store, or nil if the store is not read.
	inner statestore.Store

	// real are the files of inner at the last read, and files are the files of the projection.
	real, files statestore.Files
	// probe is the digest of an empty content. It changes if the store computes digests in another
	// way.
	probe  statestore.Digest
	on     map[string]*overlay
	placed map[tree.Path]placedFile
	// outgoing contains the stored files that will be replaced or removed.
	outgoing outgoing
}

var _ statestore.Store = (*store)(nil)

type placedFile struct {
	sum statestore.Digest
	by  *overlay
}

// Apply writes nothing, because Kratix writes the files.
func (s *store) Apply(_ context.Context, changes statestore.ChangeSet) (statestore.Revision, error) {
	return changes.Base, nil
}

// Read returns the state that the store will have when Kratix has written all WorkPlacements.
func (s *store) Read(ctx context.Context) (statestore.State, error) {
	state, err := s.readInner(ctx)
	if err != nil {
		return state, err
	}
	contents := state.Contents
	if contents == nil {
		contents = emptyContents{}
	}
	if probe := contents.Digest(nil); probe != s.probe {
		*s = store{stores: s.stores, ref: s.ref, inner: s.inner, probe: probe}
	}
	if err := s.project(ctx, state.Files, contents); err != nil {
		return state, err
	}
	now := view{real: contents, placed: s.placed}
	state.Files, state.Contents, state.Stepwise, state.WrittenBy = s.files, now, true, now.whose
	if state.Outgoing, err = s.outgoing.files(ctx, contents); err != nil {
		return state, err
	}
	for _, on := range s.on {
		state.Outgoing = append(state.Outgoing, on.separate...)
	}
	slices.SortStableFunc(state.Outgoing, func(a, b statestore.Outgoing) int {
		return cmp.Or(tree.Compare(a.Path, b.Path), cmp.Compare(a.Object, b.Object))
	})
	return state, nil
}

func (s *store) readInner(ctx context.Context) (statestore.State, error) {
	if s.inner != nil {
		return s.inner.Read(ctx)
	}
	return statestore.State{Warnings: []string{"it is not read: only WorkPlacements are compared, and not what others have put there"}}, nil
}

// project updates the files for the current content of the store and the current WorkPlacements.
func (s *store) project(ctx context.Context, stored statestore.Files, contents statestore.Contents) error {
	if s.placed == nil {
		s.on, s.placed = map[string]*overlay{}, map[tree.Path]placedFile{}
	}
	made, bases, err := s.overlays(ctx, stored, contents)
	if err != nil {
		return err // nothing has been changed yet
	}
	stale := map[tree.Path]bool{}
	for name, was := range s.on {
		if made[name] == nil {
			s.replace(was, nil, stale)
			mark(stale, stored, was.records)
		}
	}
	for name, now := range made {
		was := s.on[name]
		if now == was {
			continue
		}
		s.replace(was, now, stale)
		if was == nil || was.records != now.records {
			mark(stale, stored, now.records)
		}
	}
	for path := range stored.Differing(s.real) {
		stale[path] = true
	}
	s.on, s.real = made, stored
	s.refresh(stale, bases)
	return nil
}

// overlays returns the overlays of the Destinations by name, and the directories of their records.
func (s *store) overlays(ctx context.Context, stored statestore.Files, contents statestore.Contents) (made map[string]*overlay, bases []tree.Path, err error) {
	made = map[string]*overlay{}
	for _, d := range s.stores.destinations[s.ref] {
		records, err := layout.RecordsDir(d)
		if err != nil {
			continue // a Destination with an invalid path has no files
		}
		bases = append(bases, records)
		placements, heirs, was := s.stores.placements[d.Name], s.stores.implied[d.Name], s.on[d.Name]
		if was != nil && was.destination == d && slices.Equal(was.placements, placements) && slices.Equal(was.implied, heirs) && was.lists.Same(stored, records) {
			made[d.Name] = was
			continue
		}
		if made[d.Name], err = newOverlay(ctx, d, placements, was, stored.Within(records), contents); err != nil {
			return nil, nil, err
		}
		made[d.Name].records = records
		if err := made[d.Name].addImplied(ctx, heirs, contents); err != nil {
			return nil, nil, err
		}
	}
	return made, bases, nil
}

func mark(stale map[tree.Path]bool, stored statestore.Files, dir tree.Path) {
	for path := range stored.Below(dir) {
		stale[path] = true
	}
}

// replace replaces the overlay of a Destination, and adds the paths that may have changed to stale.
// Either overlay may be nil.
func (s *store) replace(was, made *overlay, stale map[tree.Path]bool) {
	if was != nil {
		for path := range was.digests {
			if s.placed[path].by == was {
				delete(s.placed, path)
			}
			stale[path] = true
		}
	}
	if made != nil {
		for path, sum := range made.digests {
			s.placed[path] = placedFile{sum, made}
			stale[path] = true
		}
	}
	if s.inner == nil && was != nil {
		s.outgoing.remember(was, made, s.stores.Now())
	}
}

// refresh updates the files at the stale paths.
func (s *store) refresh(stale map[tree.Path]bool, records []tree.Path) {
	changes := make([]statestore.FileChange, 0, len(stale))
	for path := range stale {
		laid, isLaid := s.placed[path]
		sum, there := s.real.Digest(path)
		isRecord := slices.ContainsFunc(records, path.Within)
		// The joined file is not outgoing, because Kratix always writes the whole file.
		s.outgoing.note(path, isLaid && there && sum != laid.sum && !isRecord && !laid.by.joins(path), storedFile{sum, laid.by.placementAt(path)})
		switch {
		case isLaid:
			changes = append(changes, statestore.FileChange{Path: path, Digest: laid.sum})
		case there && !isRecord:
			changes = append(changes, statestore.FileChange{Path: path, Digest: sum})
		default:
			changes = append(changes, statestore.FileChange{Path: path, Gone: true})
		}
	}
	s.files = s.files.With(changes)
	s.outgoing.forget(s.stores.Now())
}

type view struct {
	real   statestore.Contents
	placed map[tree.Path]placedFile
}

func (v view) Digest(content []byte) statestore.Digest { return v.real.Digest(content) }

func (v view) Content(ctx context.Context, p tree.Path) ([]byte, error) {
	if laid, ok := v.placed[p]; ok {
		return laid.by.content(p)
	}
	return v.real.Content(ctx, p)
}

func (v view) whose(path tree.Path) string {
	laid, ok := v.placed[path]
	if !ok {
		return ""
	}
	if of := laid.by.placementAt(path); of != nil {
		return kratix.Describe(of)
	}
	return "" // a joined file belongs to several WorkPlacements
}

type emptyContents struct{}

func (emptyContents) Digest(content []byte) statestore.Digest { return sha256.Sum256(content) }

func (emptyContents) Content(_ context.Context, p tree.Path) ([]byte, error) {
	return nil, fmt.Errorf("no file %s", p)
}
