package projected

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/tree"
)

// outgoing are the files that a store still has where a WorkPlacement puts something
// else, or nothing.
type outgoing struct {
	// stored are the paths at which a store that can be read has another content.
	stored map[tree.Path]statestore.Sum
	// remembered are files of a store that cannot be read: what WorkPlacements had
	// before they were changed.
	remembered []formerFile
}

// formerFile is a file that a WorkPlacement had before it was changed.
type formerFile struct {
	file tree.File
	// placement names the WorkPlacement, destination its Destination. version is the
	// commit that it was in, and until is when it counts no longer in any case.
	placement   kratix.Key
	destination string
	version     string
	until       time.Time
}

// memoryOfFormer is how long what a WorkPlacement had before counts for a store that
// cannot be read, unless Kratix says before that it has written the new one. It has
// written a WorkPlacement within seconds of its change.
const memoryOfFormer = 30 * time.Second

// note notes whether a store has another content at a path.
func (o *outgoing) note(path tree.Path, differs bool, sum statestore.Sum) {
	switch {
	case !differs:
		delete(o.stored, path)
	case o.stored == nil:
		o.stored = map[tree.Path]statestore.Sum{path: sum}
	default:
		o.stored[path] = sum
	}
}

// remember notes what WorkPlacements that are still there have lost, by the overlays
// before and after; a WorkPlacement that is gone has no files any more.
func (o *outgoing) remember(was, made *overlay, now time.Time) {
	if made == nil {
		return
	}
	after := make(map[kratix.Key]*kratix.WorkPlacement, len(made.placements))
	for _, p := range made.placements {
		after[kratix.KeyOf(p)] = p
	}
	o.remembered = slices.DeleteFunc(o.remembered, func(former formerFile) bool {
		p, still := after[former.placement]
		return former.destination == made.destination.Name && (!still || p.Status.VersionID != former.version)
	})
	for path, of := range was.from {
		p, still := after[kratix.KeyOf(of.placement)]
		if !still || path == of.record || made.sums[path] == was.sums[path] || p.Status.VersionID != of.placement.Status.VersionID {
			continue
		}
		if content, err := was.content(path); err == nil {
			o.remembered = append(o.remembered, formerFile{
				file: tree.File{Path: path, Content: content}, placement: kratix.KeyOf(p), destination: made.destination.Name,
				version: p.Status.VersionID, until: now.Add(memoryOfFormer),
			})
		}
	}
}

// forget forgets what is remembered for long enough.
func (o *outgoing) forget(now time.Time) {
	o.remembered = slices.DeleteFunc(o.remembered, func(former formerFile) bool { return !now.Before(former.until) })
}

// files returns the outgoing files, sorted.
func (o *outgoing) files(ctx context.Context, contents statestore.Contents) ([]tree.File, error) {
	files := make([]tree.File, 0, len(o.stored)+len(o.remembered))
	for _, path := range slices.SortedFunc(maps.Keys(o.stored), tree.Compare) {
		content, err := contents.Content(ctx, path)
		if err != nil {
			return nil, err
		}
		files = append(files, tree.File{Path: path, Content: content})
	}
	for _, former := range o.remembered {
		files = append(files, former.file)
	}
	tree.SortFiles(files)
	return files, nil
}
