package reconcile

import (
	"cmp"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/report"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/tree"
)

// diff gives the changes that make the store what it should be. Placements that
// are not written add nothing and own nothing, so what they have stays.
func (d *desired) diff() statestore.ChangeSet {
	var wanted []tree.File
	var owned tree.Set
	for _, dest := range d.destinations {
		for _, fixture := range dest.fixtures {
			if _, there := d.state.Files[fixture.Path]; !there {
				wanted = append(wanted, fixture)
			}
		}
		for _, record := range dest.removed {
			record.addTo(&owned)
		}
		for _, p := range dest.placements {
			if p.writable() {
				wanted = append(wanted, p.files()...)
				owned.AddDir(p.rendering.Dir)
			}
		}
	}
	changes := statestore.Diff(d.state, wanted, owned.Has)
	changes.Placements = d.behind(changes)
	return changes
}

// files gives a placement's files and its record.
func (p *desiredPlacement) files() []tree.File {
	files := make([]tree.File, 0, len(p.rendering.Files)+1)
	for _, file := range p.rendering.Files {
		files = append(files, file.File)
	}
	return append(files, p.record)
}

// behind names the placements that changes are about, and marks the others as
// unchanged.
func (d *desired) behind(changes statestore.ChangeSet) []statestore.PlacementChange {
	var touched tree.Set
	for _, file := range changes.Write {
		touched.AddFile(file.Path)
	}
	var named []statestore.PlacementChange
	for _, dest := range d.destinations {
		for _, p := range dest.placements {
			if !p.writable() {
				continue
			}
			if !p.touched(&touched) && !removesWithin(changes.Remove, p.rendering.Dir) {
				p.state = report.Unchanged
				continue
			}
			named = append(named, change(p.WorkPlacement, p.action(d.state)))
		}
		for _, record := range dest.removed {
			named = append(named, change(record.placement, statestore.Remove))
		}
	}
	slices.SortStableFunc(named, func(a, b statestore.PlacementChange) int {
		return cmp.Or(cmp.Compare(a.Destination, b.Destination), cmp.Compare(a.Work, b.Work))
	})
	return named
}

func (p *desiredPlacement) touched(paths *tree.Set) bool {
	return slices.ContainsFunc(p.files(), func(file tree.File) bool { return paths.Has(file.Path) })
}

func removesWithin(removed []tree.Path, dir tree.Path) bool {
	return len(tree.Below(removed, dir)) > 0
}

func (p *desiredPlacement) action(stored statestore.State) statestore.Action {
	if _, recorded := stored.Files[p.record.Path]; recorded {
		return statestore.Update
	}
	return statestore.Place
}

func change(p *kratix.WorkPlacement, action statestore.Action) statestore.PlacementChange {
	return statestore.PlacementChange{Action: action, Work: p.Work().String(), Destination: p.Spec.TargetDestinationName}
}
