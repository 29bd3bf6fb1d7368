package reconcile

import (
	"bytes"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// diff finds the changes that make a Destination's directory what it should be.
// Placements that are not written want what they have.
func (dest *desiredDestination) diff() {
	if dest.left {
		dest.changes = statestore.ChangeSet{Base: dest.store.state.Revision, Unfinished: dest.unfinished()}
		return
	}
	var wanted []tree.File
	var owned tree.Set
	for _, path := range dest.outdated() {
		owned.AddFile(path)
	}
	for _, fixture := range dest.fixtures {
		if !dest.store.state.Files.Has(fixture.Path) {
			wanted = append(wanted, fixture)
		}
	}
	for _, fixture := range dest.retired {
		owned.AddFile(fixture.Path)
	}
	if len(dest.removed) > 0 {
		staying := dest.staying()
		for _, record := range dest.removed {
			record.addUnless(staying, &owned)
		}
	}
	for _, path := range dest.leftovers {
		owned.AddFile(path)
	}
	wanted = append(wanted, dest.files()...)
	for _, p := range dest.placements {
		if p.writable() {
			wanted = append(wanted, p.record)
			p.addTo(&owned)
			if record := dest.recordOf(p); record != nil {
				for _, path := range record.elsewhere {
					owned.AddFile(path)
				}
			}
		}
	}
	wanted = append(wanted, dest.ledgerFiles()...)
	here := dest.store.state
	here.Files, here.Unfinished = here.Files.Within(dest.base), dest.unfinished()
	dest.changes = statestore.Diff(here, wanted, owned.Has)
	dest.clearLedger()
	dest.changes.Placements = dest.behind()
	dest.findUnits()
}

// files returns everything that a Destination's placements should have.
func (dest *desiredDestination) files() []tree.File {
	var files []tree.File
	var parts []layout.Part
	for _, p := range dest.placements {
		now := p.now()
		if p.rendering.Joined {
			parts = append(parts, layout.Part{Placement: p.WorkPlacement, Files: now})
			continue
		}
		for _, file := range now {
			files = append(files, file.File)
		}
	}
	return append(files, layout.Join(parts)...)
}

// now returns the files that a placement has after the round.
func (p *desiredPlacement) now() []layout.File {
	if p.writable() {
		return p.rendering.Files
	}
	files := make([]layout.File, 0, len(p.stored))
	for _, file := range p.stored {
		files = append(files, layout.File{File: file.File, Workload: file.Place.File})
	}
	return files
}

// behind names the placements that the changes are about, and marks the others
// as unchanged.
func (dest *desiredDestination) behind() []statestore.PlacementChange {
	var named []statestore.PlacementChange
	for _, p := range dest.placements {
		switch action := dest.action(p); {
		case !p.writable():
		case action == "":
			p.state = report.Unchanged
		default:
			named = append(named, change(p.WorkPlacement, action))
		}
	}
	for _, record := range dest.removed {
		named = append(named, change(record.Placement, statestore.Remove))
	}
	return named
}

// action says what is done to a placement that may be written: nothing, when it
// is in the store as it should be. Where somebody else writes, records are not
// theirs to keep, and only files count.
func (dest *desiredDestination) action(p *desiredPlacement) statestore.Action {
	sum, recorded := dest.store.state.Files.Sum(p.record.Path)
	switch record := dest.recordOf(p); {
	case dest.store.state.Stepwise && p.isStored():
		return ""
	case record != nil && len(record.elsewhere) > 0:
		return statestore.Update
	case !recorded:
		return statestore.Place
	case sum != dest.store.state.Contents.Sum(p.record.Content) || !p.isStored():
		return statestore.Update
	}
	return ""
}

// isStored reports whether a placement has what it wants.
func (p *desiredPlacement) isStored() bool {
	wanted := make([]tree.File, 0, len(p.rendering.Files))
	for _, file := range p.rendering.Files {
		wanted = append(wanted, file.File)
	}
	if p.rendering.Joined {
		wanted = layout.Join([]layout.Part{{Placement: p.WorkPlacement, Files: p.rendering.Files}})
	}
	return slices.EqualFunc(p.stored, wanted, func(a dedupe.File, b tree.File) bool {
		return a.Path == b.Path && bytes.Equal(a.Content, b.Content)
	})
}

func change(p *kratix.WorkPlacement, action statestore.Action) statestore.PlacementChange {
	return statestore.PlacementChange{Action: action, Work: p.Work().String(), Destination: p.Spec.TargetDestinationName}
}
