package scheduler

import (
	"cmp"
	"maps"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// with returns a copy of the plan in which part replaces the results for some Works. on has the
// Destinations where these Works were.
func (r Result) with(part Result, some keys, on map[string]bool) Result {
	r.Destinations = replaceParts(r.Destinations, part.Destinations, some, on)
	if len(part.Unplaced) > 0 || anyUnplaced(r.Unplaced, some) {
		r.Unplaced = replace(r.Unplaced, part.Unplaced, some, func(u Unplaced) kratix.Key { return kratix.KeyOf(u.Work) }, compareUnplaced)
	}
	r.KeptInvalid = replace(r.KeptInvalid, part.KeptInvalid, some, (*kratix.WorkPlacement).Work, comparePlacements)
	r.KeptMissing = replace(r.KeptMissing, part.KeptMissing, some, (*kratix.WorkPlacement).Work, comparePlacements)
	r.Removed = replace(r.Removed, part.Removed, some, (*kratix.WorkPlacement).Work, comparePlacements)
	r.Moved = replace(r.Moved, part.Moved, some, func(m Moved) kratix.Key { return m.Work() }, compareMoved)
	r.Invalid = replaceInvalid(r.Invalid, part.Invalid, some)
	r.begun = r.begun && beginsMove(r.Destinations) || part.begun
	r.Again = r.begun || len(r.Moved) > 0
	return r
}

func anyUnplaced(all []Unplaced, some keys) bool {
	for key := range some {
		_, found := slices.BinarySearchFunc(all, key, func(u Unplaced, key kratix.Key) int { return kratix.KeyOf(u.Work).Compare(key) })
		if found {
			return true
		}
	}
	return false
}

// replace replaces the elements of a sorted list that belong to some Works. of returns the Work of
// an element.
func replace[T any](all, by []T, some keys, of func(T) kratix.Key, compare func(a, b T) int) []T {
	about := func(one T) bool { return some.has(of(one)) }
	if len(by) == 0 && !slices.ContainsFunc(all, about) {
		return all
	}
	all = append(slices.DeleteFunc(slices.Clone(all), about), by...)
	slices.SortStableFunc(all, compare)
	return all
}

func replaceParts(parts, by []DestinationPlan, some keys, on map[string]bool) []DestinationPlan {
	fresh := make(map[string][]Placement, len(by))
	touched := maps.Clone(on)
	for _, part := range by {
		fresh[part.Destination] = part.Placements
		touched[part.Destination] = true
	}
	var added []DestinationPlan
	parts = slices.Clone(parts)
	for _, name := range slices.Sorted(maps.Keys(touched)) {
		at, there := slices.BinarySearchFunc(parts, name, func(p DestinationPlan, name string) int { return cmp.Compare(p.Destination, name) })
		if !there {
			added = append(added, DestinationPlan{name, fresh[name]})
			continue
		}
		parts[at].Placements = replace(parts[at].Placements, fresh[name], some, func(p Placement) kratix.Key { return kratix.KeyOf(p.Work) }, comparePlaced)
	}
	parts = append(parts, added...)
	slices.SortStableFunc(parts, func(a, b DestinationPlan) int { return cmp.Compare(a.Destination, b.Destination) })
	return slices.DeleteFunc(parts, func(p DestinationPlan) bool { return len(p.Placements) == 0 })
}

func replaceInvalid(all, by []Invalid, some keys) []Invalid {
	of := func(i Invalid) (kratix.Key, bool) {
		work, ok := i.Object.(*kratix.Work)
		if !ok {
			return kratix.Key{}, false
		}
		return kratix.KeyOf(work), true
	}
	all = slices.DeleteFunc(slices.Clone(all), func(i Invalid) bool {
		key, isWork := of(i)
		return isWork && some.has(key)
	})
	for _, invalid := range by {
		if _, isWork := of(invalid); isWork {
			all = append(all, invalid)
		}
	}
	slices.SortStableFunc(all, func(a, b Invalid) int {
		x, isWork := of(a)
		y, other := of(b)
		if isWork != other {
			if other {
				return -1
			}
			return 1
		}
		return x.Compare(y)
	})
	return all
}

func beginsMove(parts []DestinationPlan) bool {
	return slices.ContainsFunc(parts, func(part DestinationPlan) bool {
		return slices.ContainsFunc(part.Placements, func(p Placement) bool { return p.New && p.Labels[kratix.MovedFromLabel] != "" })
	})
}
