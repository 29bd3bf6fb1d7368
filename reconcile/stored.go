package reconcile

import (
	"context"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// findStored says what each placement of a Destination has in the store now.
func (dest *desiredDestination) findStored(ctx context.Context) error {
	dirs, before := dest.recordedDirs()
	for _, p := range dest.placements {
		var err error
		switch {
		case p.rendering.Joined:
		case p.rendering.Dir.IsRoot():
			p.stored, err = dest.contents(ctx, p, dest.ownFiles(p))
		case dirs[p.rendering.Dir] == p.record.Path:
			p.stored, err = dest.contents(ctx, p, slices.Concat(dest.store.state.Files.Paths(p.rendering.Dir), dest.recordedIn(p, before[p.record.Path])))
		}
		if err != nil {
			return err
		}
	}
	return dest.splitJoined(ctx)
}

// recordedDirs returns whose each whole directory is, by the path of a record. It
// is the placement's that wants it and has a record there; else that of another
// record; else, when Kratix wrote it, the first placement's that wants it. before
// holds the directory of each record's placement when the record was written.
func (dest *desiredDestination) recordedDirs() (dirs, before map[tree.Path]tree.Path) {
	dirs, before = map[tree.Path]tree.Path{}, map[tree.Path]tree.Path{}
	for i := range dest.records {
		record := &dest.records[i]
		if dir := layout.DirOf(dest.Destination, record.Placement); !dir.IsRoot() && record.mode == dest.FilepathMode() {
			before[record.path] = dir
		}
	}
	claim := func(dir, record tree.Path) {
		if _, taken := dirs[dir]; !taken {
			dirs[dir] = record
		}
	}
	for _, p := range dest.placements {
		if dir, recorded := before[p.record.Path]; recorded && dir == p.rendering.Dir && dest.recordOf(p) != nil {
			claim(dir, p.record.Path)
		}
	}
	for i := range dest.records {
		if dir, recorded := before[dest.records[i].path]; recorded {
			claim(dir, dest.records[i].path)
		}
	}
	for _, p := range dest.placements {
		claim(p.rendering.Dir, p.record.Path)
	}
	return dirs, before
}

// recordedIn returns the files that a placement's record lists in a directory
// which was the placement's before: the pipeline's name is a part of its path.
func (dest *desiredDestination) recordedIn(p *desiredPlacement, dir tree.Path) []tree.Path {
	if dir.IsRoot() || dir == p.rendering.Dir {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(dest.recordedFiles(p)), func(file tree.Path) bool { return !file.Within(dir) })
}

// recordedFiles returns the files that a placement's record lists, ours or
// Kratix's.
func (dest *desiredDestination) recordedFiles(p *desiredPlacement) []tree.Path {
	if record := dest.recordOf(p); record != nil {
		return record.Files
	}
	return dest.legacy[p.record.Path]
}

// holds reports whether the store has something of a placement: what its record
// lists, or what is in the directory that is the placement's alone. What is known to
// be on the Destination may have a part of a mixed-up file.
func (dest *desiredDestination) holds(p *desiredPlacement) bool {
	if len(dest.recordedFiles(p)) > 0 || dest.mixedUp && dest.recordOf(p) != nil {
		return true
	}
	return !p.rendering.Dir.IsRoot() && dest.store.state.Files.Within(p.rendering.Dir).Len() > 0
}

// ownFiles returns the files that a placement's record lists, where only records
// say whose a file is. One that another record lists too is the placement's only
// if it wants it, or is to keep what it has.
func (dest *desiredDestination) ownFiles(p *desiredPlacement) []tree.Path {
	files := dest.recordedFiles(p)
	if record := dest.recordOf(p); record != nil && dest.isOutdated(record) {
		return nil
	}
	if !p.writable() {
		return files
	}
	wanted := tree.Set{}
	for _, file := range p.rendering.Files {
		wanted.AddFile(file.Path)
	}
	return slices.DeleteFunc(slices.Clone(files), func(file tree.Path) bool { return dest.listed()[file] > 1 && !wanted.Has(file) })
}

// contents reads those of the paths that are there.
func (dest *desiredDestination) contents(ctx context.Context, p *desiredPlacement, paths []tree.Path) ([]dedupe.File, error) {
	wanted := map[tree.Path]layout.File{}
	for _, file := range p.rendering.Files {
		wanted[file.Path] = file
	}
	var files []dedupe.File
	for _, path := range paths {
		if !dest.store.state.Files.Has(path) {
			continue
		}
		content, err := dest.content(ctx, path, wanted[path].Content)
		if err != nil {
			return nil, err
		}
		below, within := path.RelativeTo(p.rendering.Dir)
		if !within {
			below = path
		}
		place := finding.Place{Object: p.object(), File: below.String()}
		files = append(files, dedupe.File{File: tree.File{Path: path, Content: content}, Place: place})
	}
	return files, nil
}

// content returns what is stored at a path; guess spares the fetch when it is
// right.
func (dest *desiredDestination) content(ctx context.Context, path tree.Path, guess []byte) ([]byte, error) {
	if guess != nil {
		if sum, _ := dest.store.state.Files.Sum(path); sum == dest.store.state.Contents.Sum(guess) {
			return guess, nil
		}
	}
	return dest.store.state.Contents.Content(ctx, path)
}

// recordOf returns the record of a placement; nil if the store has none.
func (dest *desiredDestination) recordOf(p *desiredPlacement) *recordView {
	if dest.recordAt == nil {
		dest.recordAt = make(map[tree.Path]*recordView, len(dest.records))
		for i := range dest.records {
			dest.recordAt[dest.records[i].path] = &dest.records[i]
		}
	}
	record := dest.recordAt[p.record.Path]
	if record == nil || groupOf(record.Placement) != groupOf(p.WorkPlacement) {
		return nil
	}
	return record
}

// listed returns how many records list each file of the Destination.
func (dest *desiredDestination) listed() map[tree.Path]int {
	if dest.listings != nil {
		return dest.listings
	}
	dest.listings = map[tree.Path]int{}
	for _, record := range dest.records {
		for _, file := range record.Files {
			dest.listings[file]++
		}
	}
	for path, files := range dest.legacy {
		if slices.ContainsFunc(dest.records, func(r recordView) bool { return r.path == path }) {
			continue // the placement's own
		}
		for _, file := range files {
			dest.listings[file]++
		}
	}
	return dest.listings
}

// staying returns what belongs to the placements and records that stay, so that
// none of it goes with a record that is removed and claims it too.
func (dest *desiredDestination) staying() *tree.Set {
	set := &tree.Set{}
	for _, p := range dest.placements {
		p.addTo(set)
	}
	removed := map[tree.Path]bool{}
	for _, record := range dest.removed {
		removed[record.path] = true
	}
	for i := range dest.records {
		if !removed[dest.records[i].path] {
			dest.records[i].addTo(set)
		}
	}
	return set
}
