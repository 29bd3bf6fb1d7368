package history

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// The limits of a Comparison. The sizes are in bytes.
const (
	maxFiles     = 1000
	maxFileSize  = 1 << 20
	maxTotalSize = 32 << 20
)

// Selection selects files. Its zero value selects all files except records.
type Selection struct {
	// Work selects the files of a Work, by its name with or without its namespace.
	Work string
	// Paths selects these files and directories, if Work is empty.
	Paths []tree.Path
}

// Kind is the kind of a change of a file.
type Kind string

// The values of Kind.
const (
	Added   Kind = "added"
	Changed Kind = "changed"
	Removed Kind = "removed"
)

// FileChange is a changed file.
type FileChange struct {
	Path tree.Path `json:"path"`
	Kind Kind      `json:"kind"`
}

// Comparison is the difference between two revisions.
type Comparison struct {
	Files []report.FileDiff
	// More is the number of changed files that are left out because of the limits.
	More int
}

// Files returns the selected files that differ between two revisions, sorted. An empty revision is
// the empty store. It fails with statestore.ErrUnknownRevision if the store does not have a
// revision.
func Files(ctx context.Context, store statestore.Store, from, to statestore.Revision, selection Selection) ([]FileChange, error) {
	pair, err := newPair(ctx, store, from, to, selection)
	if err != nil {
		return nil, err
	}
	return pair.changes, nil
}

// Diff returns the selected files that differ between two revisions, with their contents. An empty
// revision is the empty store. It fails with statestore.ErrUnknownRevision if the store does not
// have a revision. The result contains the values of Secrets.
func Diff(ctx context.Context, store statestore.Store, from, to statestore.Revision, selection Selection) (Comparison, error) {
	pair, err := newPair(ctx, store, from, to, selection)
	if err != nil {
		return Comparison{}, err
	}
	result := Comparison{Files: []report.FileDiff{}}
	total := 0
	for i, change := range pair.changes {
		if len(result.Files) == maxFiles || total > maxTotalSize {
			result.More = len(pair.changes) - i
			break
		}
		file := report.FileDiff{Path: change.Path.String()}
		if file.Old, err = pair.from.content(ctx, change.Path); err != nil {
			return Comparison{}, err
		}
		if file.New, err = pair.to.content(ctx, change.Path); err != nil {
			return Comparison{}, err
		}
		total += len(file.Old) + len(file.New)
		if largest := max(len(file.Old), len(file.New)); largest > maxFileSize {
			file.Old, file.New = emptied(file.Old), emptied(file.New)
			file.Withheld = fmt.Sprintf("it has %d bytes, more than the %d that are compared", largest, maxFileSize)
		}
		result.Files = append(result.Files, file)
	}
	return result, nil
}

// emptied returns an empty content for a file that exists, and nil for a file that does not.
func emptied(content []byte) []byte {
	if content == nil {
		return nil
	}
	return []byte{}
}

type pair struct {
	from, to past
	changes  []FileChange
}

// past is a revision of a store. Its state is nil if the store reads single files.
type past struct {
	store    statestore.Store
	revision statestore.Revision
	state    *statestore.State
	// read contains the files that were read one by one, with nil for files that did not exist.
	read map[tree.Path][]byte
}

func newPair(ctx context.Context, store statestore.Store, from, to statestore.Revision, selection Selection) (pair, error) {
	var result pair
	var err error
	if result.from, err = pastOf(ctx, store, from); err != nil {
		return result, err
	}
	if result.to, err = pastOf(ctx, store, to); err != nil {
		return result, err
	}
	if result.from.state != nil && result.to.state != nil {
		result.changes, err = changesOfStates(ctx, result.from.state, result.to.state, selection)
		return result, err
	}
	return result, result.readFiles(ctx, selection)
}

func pastOf(ctx context.Context, store statestore.Store, revision statestore.Revision) (past, error) {
	one := past{store: store, revision: revision, read: map[tree.Path][]byte{}}
	switch {
	case !statestore.HasHistory(store):
		return one, nil
	case revision == "":
		one.state = &statestore.State{}
		return one, nil
	}
	state, err := statestore.At(ctx, store, revision)
	one.state = &state
	return one, err
}

func changesOfStates(ctx context.Context, from, to *statestore.State, selection Selection) ([]FileChange, error) {
	selected, err := selectIn(ctx, selection, from, to)
	if err != nil {
		return nil, err
	}
	changes := []FileChange{}
	for path := range from.Files.Differing(to.Files) {
		if selected(path) {
			changes = append(changes, FileChange{Path: path, Kind: kindOf(from.Files.Has(path), to.Files.Has(path))})
		}
	}
	return changes, nil
}

func kindOf(before, after bool) Kind {
	switch {
	case !before:
		return Added
	case !after:
		return Removed
	}
	return Changed
}

func selectIn(ctx context.Context, selection Selection, states ...*statestore.State) (func(tree.Path) bool, error) {
	if selection.Work == "" {
		return func(path tree.Path) bool {
			if len(selection.Paths) == 0 {
				_, isRecord := layout.RecordBase(path)
				return !isRecord
			}
			return slices.ContainsFunc(selection.Paths, path.Within)
		}, nil
	}
	files := map[tree.Path]bool{}
	var works []string
	for _, state := range states {
		found, err := placedIn(ctx, *state, selection.Work)
		if err != nil {
			return nil, err
		}
		for _, placement := range found.placements {
			for _, file := range placement.files {
				files[file] = true
			}
		}
		works = append(works, found.works...)
	}
	slices.Sort(works)
	if works = slices.Compact(works); len(works) > 1 {
		return nil, ambiguousError{selection.Work, works}
	}
	return func(path tree.Path) bool { return files[path] }, nil
}

func (p *past) content(ctx context.Context, path tree.Path) ([]byte, error) {
	if p.state != nil {
		if !p.state.Files.Has(path) {
			return nil, nil
		}
		content, err := p.state.Contents.Content(ctx, path)
		if content == nil && err == nil {
			content = []byte{}
		}
		return content, err
	}
	if content, known := p.read[path]; known {
		return content, nil
	}
	if p.revision == "" {
		return nil, nil
	}
	content, exists, err := statestore.FileAt(ctx, p.store, p.revision, path)
	switch {
	case err != nil:
		return nil, err
	case !exists:
		content = nil
	case content == nil:
		content = []byte{}
	}
	p.read[path] = content
	return content, nil
}

// errNamed means that a store that reads single files cannot find the files to compare.
var errNamed = errors.New("this store cannot list the files of an earlier revision; name a Work or files")

// readFiles reads the selected files of both revisions one by one.
func (p *pair) readFiles(ctx context.Context, selection Selection) error {
	paths := slices.Clone(selection.Paths)
	if selection.Work != "" {
		var err error
		if paths, err = p.filesOf(ctx, selection.Work); err != nil {
			return err
		}
	}
	if len(paths) == 0 && selection.Work == "" {
		return errNamed
	}
	slices.SortFunc(paths, tree.Compare)
	paths = slices.Compact(paths)
	for _, path := range paths[:min(len(paths), maxFiles)] {
		before, err := p.from.content(ctx, path)
		if err != nil {
			return err
		}
		after, err := p.to.content(ctx, path)
		if err != nil {
			return err
		}
		if (before == nil) != (after == nil) || !bytes.Equal(before, after) {
			p.changes = append(p.changes, FileChange{Path: path, Kind: kindOf(before != nil, after != nil)})
		}
	}
	return nil
}

func (p *pair) filesOf(ctx context.Context, work string) ([]tree.Path, error) {
	state, err := p.to.store.Read(ctx)
	if err != nil {
		return nil, err
	}
	found, err := placedIn(ctx, state, work)
	if err != nil {
		return nil, err
	}
	if len(found.works) > 1 {
		return nil, ambiguousError{work, found.works}
	}
	var paths []tree.Path
	for _, placement := range found.placements {
		paths = append(paths, placement.files...)
		for _, one := range []*past{&p.from, &p.to} {
			content, err := one.content(ctx, placement.record)
			if err != nil {
				return nil, err
			}
			if record, err := layout.ParseRecord(content); err == nil {
				paths = append(paths, record.Files...)
			}
		}
	}
	return paths, nil
}
