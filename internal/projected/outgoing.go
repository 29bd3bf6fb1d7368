package projected

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

type outgoing struct {
	// stored contains the stored files that differ from those of the WorkPlacements, if the store
	// is read.
	stored map[tree.Path]storedFile
	// remembered contains the former files of WorkPlacements, if the store is not read.
	remembered []formerFile
}

type storedFile struct {
	digest statestore.Digest
	of     *kratix.WorkPlacement
}

type formerFile struct {
	file tree.File
	// placement and destination are the WorkPlacement and the Destination of the file. The file
	// counts as outgoing before the time until.
	placement   kratix.Key
	destination string
	until       time.Time
}

// memoryOfFormer is the time for which a former file counts if the store is not read. Kratix writes
// within seconds.
const memoryOfFormer = 30 * time.Second

// note adds the file to stored if it differs, and removes the path otherwise.
func (o *outgoing) note(path tree.Path, differs bool, file storedFile) {
	switch {
	case !differs:
		delete(o.stored, path)
	case o.stored == nil:
		o.stored = map[tree.Path]storedFile{path: file}
	default:
		o.stored[path] = file
	}
}

// remember records files of the overlay before that differ in the overlay after. It does nothing if
// after is nil.
func (o *outgoing) remember(before, after *overlay, now time.Time) {
	if after == nil {
		return
	}
	still := make(map[kratix.Key]bool, len(after.placements))
	for _, p := range after.placements {
		still[kratix.KeyOf(p)] = true
	}
	o.remembered = slices.DeleteFunc(o.remembered, func(former formerFile) bool {
		return former.destination == after.destination.Name && !still[former.placement]
	})
	for path, of := range before.from {
		key := kratix.KeyOf(of.placement)
		if !still[key] || path == of.record || after.digests[path] == before.digests[path] {
			continue
		}
		if content, err := before.content(path); err == nil {
			o.remembered = append(o.remembered, formerFile{
				file: tree.File{Path: path, Content: content}, placement: key, destination: after.destination.Name,
				until: now.Add(memoryOfFormer),
			})
		}
	}
}

func (o *outgoing) forget(now time.Time) {
	o.remembered = slices.DeleteFunc(o.remembered, func(former formerFile) bool { return !now.Before(former.until) })
}

func (o *outgoing) files(ctx context.Context, contents statestore.Contents) ([]statestore.Outgoing, error) {
	files := make([]statestore.Outgoing, 0, len(o.stored)+len(o.remembered))
	for _, path := range slices.SortedFunc(maps.Keys(o.stored), tree.Compare) {
		content, err := contents.Content(ctx, path)
		if err != nil {
			return nil, err
		}
		files = append(files, statestore.Outgoing{File: tree.File{Path: path, Content: content}, Object: kratix.Describe(o.stored[path].of)})
	}
	for _, former := range o.remembered {
		files = append(files, statestore.Outgoing{File: former.file, Object: kratix.WorkPlacementKind + " " + former.placement.String()})
	}
	return files, nil
}
