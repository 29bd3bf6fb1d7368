package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/page"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

func (d *Daemon) publish(said report.Report, err error) {
	now := d.Now()
	d.server.Round(said, err, now)
	switch {
	case d.Page == nil:
	case err != nil:
		d.Page.Publish(page.Round{Failure: err.Error()})
	default:
		d.Page.Publish(page.Round{Report: said, Ended: now, Input: d.planned, Assigned: d.Reconciler.Planner != nil})
	}
}

const (
	// pagePatience is less than storePatience, so that a round that waits for a page does not
	// report the store as unavailable.
	pagePatience = storePatience * 3 / 4
	maxPageFiles = 100
	maxPageFile  = 64 << 10
	maxPageBytes = 512 << 10
)

var (
	errPageBusy    = errors.New("other readers are reading stores; load the page again")
	errPageUnread  = errors.New("the store has not been read yet")
	errPageNoState = errors.New("the Destination has no state store")
	errPageSlow    = errors.New("the store does not answer in time; load the page again")
	errPageNothing = errors.New("the store has no record of it")
)

// pageStore reads stores for the page, one store at a time and for at most pagePatience.
type pageStore struct {
	stores *workerStores
	slot   chan struct{}

	mu sync.Mutex
	// secret are the files that kustomizations put into Secrets, and of is the store and revision
	// of these files.
	secret map[tree.Path]tree.Path
	of     secretKey
}

type secretKey struct {
	store    string
	revision statestore.Revision
}

var _ page.Store = (*pageStore)(nil)

func newPageStore(stores *workerStores) *pageStore {
	return &pageStore{stores: stores, slot: make(chan struct{}, 1)}
}

// begin waits for other readers. The caller must read with the returned context, and call free
// afterwards.
func (s *pageStore) begin(ctx context.Context) (limited context.Context, free func(), err error) {
	limited, cancel := context.WithTimeout(ctx, pagePatience)
	select {
	case s.slot <- struct{}{}:
		return limited, func() { <-s.slot; cancel() }, nil
	case <-limited.Done():
		cancel()
		return ctx, nil, errPageBusy
	}
}

func (s *pageStore) view(w page.Wanted) (name string, view statestore.View, state statestore.State, err error) {
	if w.On.Spec.StateStoreRef == nil {
		return "", view, state, errPageNoState
	}
	view, state, ok := s.stores.last(*w.On.Spec.StateStoreRef)
	if !ok {
		return "", view, state, errPageUnread
	}
	return w.On.Spec.StateStoreRef.String(), view, state, nil
}

func (s *pageStore) Files(ctx context.Context, w page.Wanted) (page.Files, error) {
	ctx, free, err := s.begin(ctx)
	if err != nil {
		return page.Files{}, err
	}
	defer free()
	name, state, err := s.state(ctx, w)
	if err != nil {
		return page.Files{}, err
	}
	paths, joined, err := pathsOf(ctx, state, w.On, w.Placement.Object)
	if err != nil {
		return page.Files{}, err
	}
	secret, err := s.secretFiles(ctx, name, state)
	if err != nil {
		return page.Files{}, err
	}
	files := page.Files{Store: name, Revision: string(state.Revision), Joined: joined}
	left := maxPageBytes
	for i, path := range paths {
		if i == maxPageFiles || left <= 0 {
			files.Left = len(paths) - i
			break
		}
		file, err := fileOf(ctx, state, path, secret)
		if err != nil {
			return page.Files{}, err
		}
		left -= len(file.Content)
		files.Files = append(files.Files, file)
	}
	return files, nil
}

// state returns the state of the store of a placement, at the revision in the report if possible.
func (s *pageStore) state(ctx context.Context, w page.Wanted) (name string, state statestore.State, err error) {
	name, view, state, err := s.view(w)
	revision := statestore.Revision(w.Revision)
	if err != nil || revision == "" || revision == state.Revision {
		return name, state, err
	}
	newer, err := statestore.At(ctx, view, revision)
	if errors.Is(err, statestore.ErrUnknownRevision) { // the store may have no history
		newer, err = view.Store.Read(ctx)
	}
	return name, newer, err
}

// pathsOf returns the paths of the files of a placement. joined means that the file also contains
// other placements.
func pathsOf(ctx context.Context, state statestore.State, on *kratix.Destination, p *kratix.WorkPlacement) (paths []tree.Path, joined bool, err error) {
	for _, path := range layout.RecordPaths(on, p) {
		if !state.Files.Has(path) {
			continue
		}
		content, err := state.Contents.Content(ctx, path)
		if err != nil {
			return nil, false, err
		}
		record, err := layout.ParseRecord(content)
		if err != nil || record.Placement != nil && kratix.KeyOf(record.Placement) != kratix.KeyOf(p) {
			continue // the record is damaged, or belongs to another placement with the same path
		}
		return slices.DeleteFunc(record.Files, func(f tree.Path) bool { return !state.Files.Has(f) }), record.Joined, nil
	}
	dir := layout.DirOf(on, p)
	if dir.IsRoot() {
		return nil, false, errPageNothing
	}
	for path := range state.Files.Below(dir) {
		paths = append(paths, path)
	}
	if len(paths) == 0 {
		return nil, false, errPageNothing
	}
	return paths, false, nil
}

func (s *pageStore) secretFiles(ctx context.Context, name string, state statestore.State) (map[tree.Path]tree.Path, error) {
	key := secretKey{name, state.Revision}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.secret != nil && s.of == key {
		return s.secret, nil
	}
	all := make([]tree.Path, 0, state.Files.Len())
	for path := range state.Files.All() {
		all = append(all, path)
	}
	secret, err := kustomize.SecretFiles(all, func(path tree.Path) ([]byte, error) {
		if !state.Files.Has(path) {
			return nil, nil
		}
		return state.Contents.Content(ctx, path)
	})
	if err != nil {
		return nil, err
	}
	s.secret, s.of = secret, key
	return secret, nil
}

func fileOf(ctx context.Context, state statestore.State, path tree.Path, secret map[tree.Path]tree.Path) (page.File, error) {
	content, err := state.Contents.Content(ctx, path)
	if err != nil {
		return page.File{}, err
	}
	file := page.File{Path: path.String(), Size: len(content)}
	if kustomization, is := secret[path]; is {
		file.Withheld = fmt.Sprintf("%s may put it into a Secret", kustomization)
		return file, nil
	}
	file.Content, file.Withheld = report.Masked(content)
	if len(file.Content) > maxPageFile {
		file.Content, file.Cut = file.Content[:maxPageFile], true
	}
	return file, nil
}
