package reconcile

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// territory is where a Destination's files lie, such that two can be compared
// across stores.
type territory struct {
	place string
	dir   tree.Path
}

func territoryOf(store *storeView, d *destinationView) territory {
	location := kratix.LocationOf(store.ref, store.spec)
	path, err := tree.ParseDir(location.Path)
	if err != nil {
		return territory{place: store.ref.String(), dir: d.base} // the store cannot be opened either
	}
	return territory{place: location.Place, dir: path.Join(d.base)}
}

// place names where a store writes to.
func (s *storeView) place() string { return kratix.LocationOf(s.ref, s.spec).Place }

// overlaps reports whether one lies in the other.
func (t territory) overlaps(other territory) bool {
	return t.place == other.place && (t.dir.Within(other.dir) || other.dir.Within(t.dir))
}

// owned is a territory and the Destination that has it.
type owned struct {
	territory
	*destinationView
}

// separate takes out Destinations that are in each other's way, on one store or
// on two that write to one place.
func (o *observed) separate() {
	var all []owned
	for _, store := range o.stores {
		for _, d := range store.destinations {
			all = append(all, owned{territoryOf(store, d), d})
		}
	}
	inTheWay := overlapping(all)
	for _, store := range o.stores {
		store.destinations = slices.DeleteFunc(store.destinations, func(d *destinationView) bool {
			other, overlaps := inTheWay[d]
			if overlaps {
				o.leaveOut(d.Destination, finding.SharedPath(), fmt.Sprintf(
					"its directory %q and %q of Destination %s are in each other's way in %s; neither is written",
					territoryOf(store, d).dir, other.dir, other.Name, store.ref))
			}
			return overlaps
		})
	}
}

// overlapping finds, for each that is in another's way, one of these. In walk
// order whatever lies in a directory follows it at once.
func overlapping(all []owned) map[*destinationView]owned {
	slices.SortStableFunc(all, func(a, b owned) int {
		return cmp.Or(cmp.Compare(a.place, b.place), tree.Compare(a.dir, b.dir))
	})
	found := map[*destinationView]owned{}
	for outer := 0; outer < len(all); {
		next := outer + 1
		for ; next < len(all) && all[next].overlaps(all[outer].territory); next++ {
			found[all[next].destinationView] = all[outer]
		}
		if next > outer+1 {
			found[all[outer].destinationView] = all[outer+1]
		}
		outer = next
	}
	return found
}
