package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/layout"
	"github.com/kratix-schedule/kratix-schedule/tree"
)

// restore takes a file that should be a record and is none for the record of the
// placement that it is named after, as long as the Work is there: so that
// placement stays where it is, and the round writes its record anew.
func (w *world) restore() {
	for _, at := range w.homes() {
		if len(at.spoilt) == 0 {
			continue
		}
		spoilt := &tree.Set{}
		for _, path := range at.spoilt {
			spoilt.AddFile(path)
		}
		claimed := at.claimed()
		at.records, at.assumed = slices.Clip(at.records), slices.Clip(at.assumed) // what the memo has is not appended to
		for _, work := range w.Works {
			for i := range work.Spec.WorkloadGroups {
				p := kratix.NewWorkPlacement(work, &work.Spec.WorkloadGroups[i], at.Name)
				if path, err := layout.RecordPath(at.Destination, p); err == nil && spoilt.Has(path) {
					guessed := at.guess(p, claimed)
					guessed.addTo(claimed)
					at.records = append(at.records, guessed)
					at.assumed = append(at.assumed, p)
				}
			}
		}
	}
}

// guess makes the record that a placement of a Work had here. Where no directory
// is the placement's alone, those of the files it wants now that are there and
// that no other record lists (claimed) are its own: it will have written them.
func (h home) guess(p *kratix.WorkPlacement, claimed *tree.Set) recordView {
	guessed := h.assume(p)
	rendering, _ := layout.Render(h.Destination, p) // what cannot be rendered now is not known to be its own
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

// claimed returns the files that the Destination's records list, and Kratix's.
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
