package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

type changes struct {
	set fileChanges
	// units are the changes, divided into units.
	units []unitChange
	// actions maps each written candidate to its action.
	actions map[*candidate]statestore.Action
}

// diff returns the changes to a Destination's directory.
func diff(c *checked) changes {
	if c.left {
		return changes{set: fileChanges{ChangeSet: statestore.ChangeSet{Base: c.store.state.Revision, Unfinished: c.unfinished()}}}
	}
	made := changes{actions: make(map[*candidate]statestore.Action, len(c.candidates))}
	for _, p := range c.candidates {
		if p.writable() {
			made.actions[p] = c.holdings.action(p)
		}
	}
	here := c.store.state
	here.Files, here.Unfinished = here.Files.Within(c.base), c.unfinished()
	set := statestore.Diff(here, wantedFiles(c), ownedPaths(c).Has)
	clearLedger(c, &set)
	set.Placements = made.placements(c)
	made.set = newFileChanges(set, here.Contents)
	made.units = made.unitsOf(c)
	return made
}

// wantedFiles returns the files that a Destination's directory should have. It leaves out existing
// fixtures, the records of placements that are not written, and foreign files.
func wantedFiles(c *checked) []tree.File {
	var wanted []tree.File
	for _, fixture := range c.fixtures {
		if !c.store.state.Files.Has(fixture.Path) {
			wanted = append(wanted, fixture)
		}
	}
	var parts []layout.Part
	for _, p := range c.candidates {
		now := p.now()
		if p.rendering.Joined {
			parts = append(parts, layout.Part{Placement: p.WorkPlacement, Files: now})
			continue
		}
		for _, file := range now {
			wanted = append(wanted, file.File)
		}
	}
	wanted = append(wanted, layout.Join(parts)...)
	for _, p := range c.candidates {
		if p.writable() {
			wanted = append(wanted, p.record)
		}
	}
	return append(wanted, ledgerFiles(c)...)
}

func ownedPaths(c *checked) *tree.Set {
	owned := &tree.Set{}
	for _, path := range outdatedFiles(&c.wanted) {
		owned.AddFile(path)
	}
	for _, fixture := range c.retired {
		owned.AddFile(fixture.Path)
	}
	if len(c.removed) > 0 {
		staying := staying(c)
		for _, record := range c.removed {
			record.addUnless(staying, owned)
		}
	}
	for _, path := range c.leftovers {
		owned.AddFile(path)
	}
	for _, p := range c.candidates {
		if !p.writable() {
			continue
		}
		p.addTo(owned)
		if record := c.recordOf(&p.placement); record != nil {
			for _, path := range record.elsewhere {
				owned.AddFile(path)
			}
		}
	}
	return owned
}

// staying returns the paths of placements and records that stay, even if a removed record lists
// them too.
func staying(c *checked) *tree.Set {
	set := &tree.Set{}
	for _, p := range c.candidates {
		p.addTo(set)
	}
	removed := map[tree.Path]bool{}
	for _, record := range c.removed {
		removed[record.path] = true
	}
	for i := range c.records {
		if !removed[c.records[i].path] {
			c.records[i].addTo(set)
		}
	}
	return set
}

func (made *changes) placements(c *checked) []statestore.PlacementChange {
	var named []statestore.PlacementChange
	for _, p := range c.candidates {
		if action := made.actions[p]; action != "" {
			change := placementChange(p.WorkPlacement, action)
			if p.from != nil {
				change.Labels, change.Annotations = p.from.Work.Labels, p.from.Work.Annotations
			}
			if p.because != nil {
				change.Action, change.Because = statestore.RollBack, whyUndone(p.because)
			}
			named = append(named, change)
		}
	}
	for _, record := range c.removed {
		named = append(named, placementChange(record.Placement, statestore.Remove))
	}
	return named
}

// placementChange returns the change of a placement without the labels and annotations of its Work.
func placementChange(p *kratix.WorkPlacement, action statestore.Action) statestore.PlacementChange {
	change := statestore.PlacementChange{Action: action, Work: p.Work().String(), Destination: p.Spec.TargetDestinationName, Promise: p.Spec.PromiseName}
	if !p.IsDependency() {
		change.Resource = kratix.Key{Namespace: p.Namespace, Name: p.Spec.ResourceName}.String()
	}
	return change
}

func (made *changes) unitsOf(c *checked) []unitChange {
	var written, removed []unitChange
	for _, p := range c.candidates {
		if made.actions[p] != "" {
			written = append(written, unitChange{
				unit: unitOf(p.WorkPlacement), digest: digestOf(p.rendering.Files), files: pathsOf(p.rendering.Files), record: p.record.Path,
				isMarked: p.rendering.Rollout != nil || len(p.rendering.RolledBack) > 0,
			})
		}
	}
	for _, record := range c.removed {
		removed = append(removed, unitChange{unit: unitOf(record.Placement), removed: true})
	}
	named := slices.Concat(removed, written)
	return append(made.unitOfForeign(c, named), named...)
}

func pathsOf(files []layout.File) []tree.Path {
	paths := make([]tree.Path, 0, len(files))
	for _, file := range files {
		paths = append(paths, file.Path)
	}
	return paths
}

func (made *changes) unitOfForeign(c *checked, named []unitChange) []unitChange {
	changed := slices.ContainsFunc(c.fixtures, func(f tree.File) bool { return !c.store.state.Files.Has(f.Path) }) ||
		slices.ContainsFunc(c.retired, func(f tree.File) bool { return c.store.state.Files.Has(f.Path) }) || len(c.leftovers) > 0
	if !changed && (len(named) > 0 || made.set.Empty()) {
		return nil
	}
	return []unitChange{{unit: unit{destination: c.Name}}}
}
