package reconcile

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// unit is what a server accepts or refuses as one: a placement on a Destination
// or, without a Work, the rest of the Destination's directory.
type unit struct {
	destination string
	placedGroup
}

func unitOf(p *kratix.WorkPlacement) unit {
	return unit{p.Spec.TargetDestinationName, groupOf(p)}
}

// isRest reports whether a unit is no placement.
func (u unit) isRest() bool { return u.placedGroup == placedGroup{} }

// digest identifies what a unit would write.
type digest [sha256.Size]byte

// removalDigest stands for the removal of a placement.
func removalDigest() digest { return sha256.Sum256([]byte("removal")) }

// unitChange is a unit and what a round changes of it.
type unitChange struct {
	unit
	files   []layout.File
	record  tree.Path
	removed bool
}

// suspect is a unit with one content.
type suspect struct {
	unit
	digest digest
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

// digestOf returns the digest of a placement's files. Their record is no part of
// it: it changes with what other placements share.
func digestOf(files []layout.File) digest {
	hash := sha256.New()
	for _, file := range files {
		path := file.Path.String()
		var lengths [16]byte
		binary.BigEndian.PutUint64(lengths[:8], uint64(len(path)))
		binary.BigEndian.PutUint64(lengths[8:], uint64(len(file.Content)))
		hash.Write(lengths[:])
		hash.Write([]byte(path))
		hash.Write(file.Content)
	}
	return digest(hash.Sum(nil))
}

// writes reports whether a unit's changes write a file at a path or below it.
func (c *unitChange) writes(path tree.Path) bool {
	return !c.removed && (c.record.Within(path) || slices.ContainsFunc(c.files, func(f layout.File) bool { return f.Path.Within(path) }))
}

// units returns what the changes of some Destinations are about: what is no
// placement first, then removals, since those are least likely to be refused.
func (d *desired) units() []unitChange {
	var units []unitChange
	for _, o := range d.outcomes {
		units = append(units, o.units...)
	}
	return units
}

// suspects returns the units with their contents.
func (d *desired) suspects() []suspect {
	units := d.units()
	suspects := make([]suspect, 0, len(units))
	for i := range units {
		suspects = append(suspects, units[i].suspect())
	}
	return suspects
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
