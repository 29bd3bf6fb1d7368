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
		for _, work := range w.Works {
			for i := range work.Spec.WorkloadGroups {
				p := kratix.NewWorkPlacement(work, &work.Spec.WorkloadGroups[i], at.Name)
				if at.hasDamaged(p) {
					at.records = append(slices.Clip(at.records), at.guess(p))
					at.assumed = append(slices.Clip(at.assumed), p)
				}
			}
		}
	}
}

// hasDamaged reports whether a damaged file lies where the record of a placement
// may lie, and no other record of the placement is there.
func (h home) hasDamaged(p *kratix.WorkPlacement) bool {
	damaged := slices.ContainsFunc(h.spoilt, func(path tree.Path) bool { return layout.IsRecordPath(h.Destination, p, path) })
	return damaged && !slices.ContainsFunc(h.records, func(r recordView) bool { return groupOf(r.Placement) == groupOf(p) })
}

// guess makes the record that a placement of a Work had here. Where no directory
// is the placement's alone, those of the files it wants now that are there and
// that no other record lists are its own: it will have written them.
func (h home) guess(p *kratix.WorkPlacement) recordView {
	guessed := h.assume(p)
	for _, path := range h.spoilt {
		if path != guessed.path && layout.IsRecordPath(h.Destination, p, path) {
			guessed.elsewhere = append(guessed.elsewhere, path)
		}
	}
	rendering, _ := layout.Render(h.Destination, p) // what cannot be rendered now is not known to be its own
	if !rendering.Dir.IsRoot() || rendering.Joined {
		return guessed
	}
	claimed := &tree.Set{}
	for _, record := range h.records {
		record.addTo(claimed)
	}
	for _, files := range h.legacy {
		for _, file := range files {
			claimed.AddFile(file)
		}
	}
	for _, file := range rendering.Files {
		if h.store.state.Files.Has(file.Path) && !claimed.Has(file.Path) {
			guessed.Files = append(guessed.Files, file.Path)
		}
	}
	return guessed
}
