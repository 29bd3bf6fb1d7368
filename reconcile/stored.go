package reconcile

import (
	"context"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

type holdings struct {
	*wanted
	// listings counts the records that list a file, in filepath mode none.
	listings map[tree.Path]int
	joined   joinedFile
}

// newHoldings reads the stored files of the candidates, and sets the stored field of each.
func newHoldings(ctx context.Context, w *wanted, candidates []*candidate) (holdings, error) {
	h := holdings{wanted: w}
	if slices.ContainsFunc(candidates, func(c *candidate) bool { return c.rendering.Dir.IsRoot() && !c.rendering.Joined }) {
		h.listings = h.countListings()
	}
	dirs, before := h.recordedDirs(candidates)
	for _, c := range candidates {
		var err error
		switch {
		case c.rendering.Joined:
		case c.rendering.Dir.IsRoot():
			c.stored, err = h.contents(ctx, c, h.ownFiles(c))
		case dirs[c.rendering.Dir] == c.record.Path:
			c.stored, err = h.contents(ctx, c, slices.Concat(h.store.state.Files.Paths(c.rendering.Dir), h.recordedIn(c, before[c.record.Path])))
		}
		if err != nil {
			return h, err
		}
	}
	var err error
	h.joined, err = splitJoined(ctx, w, candidates)
	return h, err
}

// recordedDirs returns the path of the record that owns each placement directory. before has the
// directory of each record's placement when the record was written.
func (h *holdings) recordedDirs(candidates []*candidate) (dirs, before map[tree.Path]tree.Path) {
	dirs, before = map[tree.Path]tree.Path{}, map[tree.Path]tree.Path{}
	for i := range h.records {
		record := &h.records[i]
		if dir := layout.DirOf(h.Destination, record.Placement); !dir.IsRoot() && record.mode == h.FilepathMode() {
			before[record.path] = dir
		}
	}
	claim := func(dir, record tree.Path) {
		if _, taken := dirs[dir]; !taken {
			dirs[dir] = record
		}
	}
	for _, c := range candidates {
		if dir, recorded := before[c.record.Path]; recorded && dir == c.rendering.Dir && h.recordOf(&c.placement) != nil {
			claim(dir, c.record.Path)
		}
	}
	for i := range h.records {
		if dir, recorded := before[h.records[i].path]; recorded {
			claim(dir, h.records[i].path)
		}
	}
	for _, c := range candidates {
		claim(c.rendering.Dir, c.record.Path)
	}
	return dirs, before
}

// recordedIn returns the recorded files in the former directory of a placement. The directory
// changes if a pipeline is renamed.
func (h *holdings) recordedIn(c *candidate, dir tree.Path) []tree.Path {
	if dir.IsRoot() || dir == c.rendering.Dir {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(h.recordedFiles(&c.placement)), func(file tree.Path) bool { return !file.Within(dir) })
}

func (h *holdings) recordedFiles(p *placement) []tree.Path {
	if record := h.recordOf(p); record != nil {
		return record.Files
	}
	return h.legacy[p.record.Path]
}

// has reports whether the store has files of a placement, or may have its part in a mixed-up file.
func (h *holdings) has(p *placement) bool {
	if len(h.recordedFiles(p)) > 0 || h.joined.mixedUp && h.recordOf(p) != nil {
		return true
	}
	return !p.rendering.Dir.IsRoot() && h.store.state.Files.Within(p.rendering.Dir).Len() > 0
}

// ownFiles returns the recorded files that belong to a placement in filepath mode none.
func (h *holdings) ownFiles(c *candidate) []tree.Path {
	files := h.recordedFiles(&c.placement)
	if record := h.recordOf(&c.placement); record != nil && h.isOutdated(record) {
		return nil
	}
	if !c.writable() {
		return files
	}
	wanted := tree.Set{}
	for _, file := range c.rendering.Files {
		wanted.AddFile(file.Path)
	}
	return slices.DeleteFunc(slices.Clone(files), func(file tree.Path) bool { return h.listings[file] > 1 && !wanted.Has(file) })
}

func (h *holdings) countListings() map[tree.Path]int {
	listings := map[tree.Path]int{}
	for _, record := range h.records {
		for _, file := range record.Files {
			listings[file]++
		}
	}
	for path, files := range h.legacy {
		if h.recordAt[path] != nil {
			continue // an implied record with the same files is counted already
		}
		for _, file := range files {
			listings[file]++
		}
	}
	return listings
}

func (h *holdings) contents(ctx context.Context, c *candidate, paths []tree.Path) ([]dedupe.File, error) {
	wanted := map[tree.Path]layout.File{}
	for _, file := range c.rendering.Files {
		wanted[file.Path] = file
	}
	var files []dedupe.File
	for _, path := range paths {
		if !h.store.state.Files.Has(path) {
			continue
		}
		content, err := h.content(ctx, path, wanted[path].Content)
		if err != nil {
			return nil, err
		}
		below, within := path.RelativeTo(c.rendering.Dir)
		if !within {
			below = path
		}
		place := finding.Place{Object: c.object(), File: below.String()}
		files = append(files, dedupe.File{File: tree.File{Path: path, Content: content}, Place: place})
	}
	return files, nil
}

// content returns the stored content of a path. It reads nothing if guess is the stored content.
func (h *holdings) content(ctx context.Context, path tree.Path, guess []byte) ([]byte, error) {
	if guess != nil {
		if sum, _ := h.store.state.Files.Digest(path); sum == h.store.state.Contents.Digest(guess) {
			return guess, nil
		}
	}
	return h.store.state.Contents.Content(ctx, path)
}

func (h *holdings) sharedBy(p *placement) []dedupe.Shared {
	record := h.recordOf(p)
	if record == nil {
		return nil
	}
	var shared []dedupe.Shared
	for _, object := range record.Shared {
		id := kustomize.NewID(object.APIVersion, object.Kind, object.Namespace, object.Name)
		shared = append(shared, dedupe.Shared{Object: id, Owners: object.Owners})
	}
	return shared
}

// action returns the action for a writable placement, or "" if the placement is up to date.
func (h *holdings) action(c *candidate) statestore.Action {
	sum, recorded := h.store.state.Files.Digest(c.record.Path)
	switch record := h.recordOf(&c.placement); {
	case h.store.state.Stepwise && c.isStored():
		return ""
	case record != nil && len(record.elsewhere) > 0:
		return statestore.Update
	case !recorded:
		return statestore.Place
	case sum != h.store.state.Contents.Digest(c.record.Content) || !c.isStored():
		return statestore.Update
	}
	return ""
}
