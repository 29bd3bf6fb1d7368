package reconcile

import (
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// checkModes excludes Destinations whose files have the layout of another filepath mode. It marks a
// Destination for a new layout instead if a user has confirmed the change, or no confirmation is
// needed.
func checkModes(o *observed) {
	for _, store := range o.stores {
		store.destinations = slices.DeleteFunc(store.destinations, func(d *destinationView) bool {
			other := d.otherMode(store)
			switch {
			case other == "" && !d.hasOtherFilename():
				return false
			case other == "" || d.confirmsMode() || d.isBare(store, other):
				d.relayout, d.formerMode = true, other
				return false
			}
			refuseMode(o, d, other)
			return true
		})
	}
}

// otherMode returns another filepath mode in which the Destination has files, or "".
func (d *destinationView) otherMode(store *storeView) string {
	for _, record := range d.records {
		if record.mode != d.FilepathMode() {
			return record.mode
		}
	}
	if len(d.records) > 0 {
		return ""
	}
	files := store.state.Files
	for _, listed := range d.legacy { // Kratix keeps file lists in mode none only
		if !slices.ContainsFunc(listed, files.Has) {
			continue
		}
		if d.FilepathMode() == kratix.None {
			return ""
		}
		return kratix.None
	}
	if hasFixture(d, files, d.FilepathMode()) {
		return ""
	}
	for _, mode := range []string{kratix.NestedByMetadata, kratix.None} {
		if hasFixture(d, files, mode) {
			return mode
		}
	}
	return ""
}

func hasFixture(d *destinationView, files statestore.Files, mode string) bool {
	return slices.ContainsFunc(fixturesIn(d.Destination, mode), func(f tree.File) bool { return files.Has(f.Path) })
}

func fixturesIn(d *kratix.Destination, mode string) []tree.File {
	in := d.DeepCopy()
	in.Spec.Filepath.Mode = mode
	fixtures, _ := layout.Fixtures(in) // the mode is known, and the Destination has a path
	return fixtures
}

// isBare reports whether the Destination has no files except the canaries or placeholders of a
// filepath mode.
func (d *destinationView) isBare(store *storeView, mode string) bool {
	n := 0
	for _, fixture := range fixturesIn(d.Destination, mode) {
		if store.state.Files.Has(fixture.Path) {
			n++
		}
	}
	return store.state.Files.Within(d.base).Len() == n
}

// hasOtherFilename reports whether a record of the Destination is outdated.
func (d *destinationView) hasOtherFilename() bool {
	return slices.ContainsFunc(d.records, func(r recordView) bool { return d.isOutdated(&r) })
}

// isOutdated reports whether a record has another filepath mode or another joined file than the
// Destination.
func (d *destinationView) isOutdated(r *recordView) bool {
	if r.mode != d.FilepathMode() {
		return true
	}
	path, joined := layout.JoinedFile(d.Destination)
	return joined && slices.ContainsFunc(r.Files, func(file tree.Path) bool { return file != path })
}

// confirmsMode reports whether a user has allowed rewriting the Destination in its filepath mode.
func (d *destinationView) confirmsMode() bool {
	return d.Annotations[scheduler.FilepathModeAnnotation] == d.FilepathMode()
}

// refuseMode excludes a Destination. Its recorded placements stay and count as placed.
func refuseMode(o *observed, d *destinationView, other string) {
	left := scheduler.Destination{Destination: d.Destination, Closed: "laid out in another filepath mode"}
	if len(d.records) == 0 {
		left.Store = scheduler.StoreUnread
	}
	o.leftOut = append(o.leftOut, left)
	for _, record := range d.records {
		o.unread = append(o.unread, record.Placement)
	}
	o.findings = append(o.findings, finding.Finding{
		Rule: finding.FilepathModeChanged(), Place: o.Origins.Of(d.Destination),
		Message: fmt.Sprintf("its directory %q is laid out in filepath mode %s, and spec.filepath.mode is %s now; nothing of it is written", d.base, other, d.FilepathMode()),
		Fix: fmt.Sprintf("Set spec.filepath.mode back to %s; or annotate the Destination with %s: %s to move all its files to that layout in one commit.",
			other, scheduler.FilepathModeAnnotation, d.FilepathMode()),
	})
}
