package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// restoreDamaged replaces each damaged record by the record that the placement with this record
// path probably had. The placement then stays, and the round rewrites its record.
func restoreDamaged(o *observed) {
	for _, at := range o.homes() {
		if len(at.invalidRecords) == 0 {
			continue
		}
		invalid := pathSet{}
		for _, path := range at.invalidRecords {
			invalid[path] = true
		}
		recorded := map[placedGroup]bool{}
		for _, record := range at.records {
			recorded[groupOf(record.Placement)] = true
		}
		claimed := at.claimed()
		at.records, at.assumed = slices.Clip(at.records), slices.Clip(at.assumed) // appending must not change the cached slices
		for _, work := range o.Works {
			for i := range work.Spec.WorkloadGroups {
				p := kratix.NewWorkPlacement(work, &work.Spec.WorkloadGroups[i], at.Name)
				damaged := invalid.among(layout.RecordPaths(at.Destination, p))
				if len(damaged) > 0 && !recorded[groupOf(p)] {
					guessed := at.guess(p, damaged, claimed)
					guessed.addTo(claimed)
					recorded[groupOf(p)] = true // two Works in the input may have the same name
					at.records = append(at.records, guessed)
					at.assumed = append(at.assumed, p)
				}
			}
		}
	}
}

type pathSet map[tree.Path]bool

func (s pathSet) among(paths []tree.Path) []tree.Path {
	return slices.DeleteFunc(paths, func(path tree.Path) bool { return !s[path] })
}

// guess returns the record that a placement probably had. The record replaces the damaged ones.
// Files in claimed belong to others.
func (h home) guess(p *kratix.WorkPlacement, damaged []tree.Path, claimed *tree.Set) recordView {
	guessed := h.impliedRecord(p)
	guessed.elsewhere = slices.DeleteFunc(damaged, func(path tree.Path) bool { return path == guessed.path })
	rendering, _ := layout.Render(h.Destination, p) // files that cannot be rendered are left out
	if !rendering.Dir.IsRoot() || rendering.Joined {
		return guessed
	}
	for _, file := range rendering.Files {
		if h.store.state.Files.Has(file.Path) && !claimed.Has(file.Path) {
			guessed.Files = append(guessed.Files, file.Path)
		}
	}
	return guessed
}

func (h home) claimed() *tree.Set {
	claimed := &tree.Set{}
	for _, record := range h.records {
		record.addTo(claimed)
	}
	for _, files := range h.legacy {
		for _, file := range files {
			claimed.AddFile(file)
		}
	}
	return claimed
}
