package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// findUnits sets what the changes are about.
func (dest *desiredDestination) findUnits() {
	var written, removed []unitChange
	for _, p := range dest.placements {
		if p.writable() && dest.action(p) != "" {
			written = append(written, unitChange{unit: unitOf(p.WorkPlacement), files: p.rendering.Files, record: p.record.Path})
		}
	}
	for _, record := range dest.removed {
		removed = append(removed, unitChange{unit: unitOf(record.Placement), removed: true})
	}
	named := slices.Concat(removed, written)
	dest.units = append(dest.rest(named), named...)
}

// rest returns the unit of all that is no placement, if any of it changes.
func (dest *desiredDestination) rest(named []unitChange) []unitChange {
	changed := slices.ContainsFunc(dest.fixtures, func(f tree.File) bool { return !dest.store.state.Files.Has(f.Path) }) ||
		slices.ContainsFunc(dest.retired, func(f tree.File) bool { return dest.store.state.Files.Has(f.Path) }) || len(dest.leftovers) > 0
	if !changed && (len(named) > 0 || dest.changes.Empty()) {
		return nil
	}
	return []unitChange{{unit: unit{destination: dest.Name}}}
}

// unitChange is a unit and what a round changes of it.
type unitChange struct {
	unit
	files   []layout.File
	record  tree.Path
	removed bool
}

func (c *unitChange) suspect() suspect {
	switch {
	case c.removed:
		return suspect{c.unit, removalDigest()}
	case c.isRest():
		return suspect{unit: c.unit}
	}
	return suspect{c.unit, digestOf(c.files)}
}

// writes reports whether a unit's changes write a file at a path or below it.
func (c *unitChange) writes(path tree.Path) bool {
	return !c.removed && (c.record.Within(path) || slices.ContainsFunc(c.files, func(f layout.File) bool { return f.Path.Within(path) }))
}
