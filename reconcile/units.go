package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

type unitChange struct {
	unit
	digest digest
	files  []tree.Path
	record tree.Path
	// isMarked means that the record is not rendered from the placement alone.
	isMarked bool
	removed  bool
}

func (c *unitChange) suspect() suspect {
	switch {
	case c.removed:
		return suspect{c.unit, removalDigest()}
	case c.isRest():
		return suspect{unit: c.unit}
	}
	return suspect{c.unit, c.digest}
}

// writes reports whether a unit's changes write a file at a path or below it.
func (c *unitChange) writes(path tree.Path) bool {
	return !c.removed && (c.record.Within(path) || slices.ContainsFunc(c.files, func(file tree.Path) bool { return file.Within(path) }))
}
