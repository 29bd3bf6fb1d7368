package reconcile

import (
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/finding"
	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/tree"
)

// territory is where a Destination's files lie, such that two can be compared
// across stores.
type territory struct {
	place string
	dir   tree.Path
}

func territoryOf(store *storeView, d *destinationView) territory {
	located, ok := store.spec.(interface{ Location() kratix.Location })
	if !ok {
		return territory{place: store.ref.String(), dir: d.base}
	}
	location := located.Location()
	path, err := tree.ParseDir(location.Path)
	if err != nil {
		return territory{place: store.ref.String(), dir: d.base} // the store cannot be opened either
	}
	return territory{place: location.Place, dir: path.Join(d.base)}
}

// overlaps tells whether one lies in the other.
func (t territory) overlaps(other territory) bool {
	return t.place == other.place && (t.dir.Within(other.dir) || other.dir.Within(t.dir))
}

// separate takes out Destinations that are in each other's way, on one store or
// on two that write to one place.
func (w *world) separate() {
	type owned struct {
		territory
		name string
	}
	var all []owned
	for _, store := range w.stores {
		for _, d := range store.destinations {
			all = append(all, owned{territoryOf(store, d), d.Name})
		}
	}
	for _, store := range w.stores {
		store.destinations = slices.DeleteFunc(store.destinations, func(d *destinationView) bool {
			own := territoryOf(store, d)
			i := slices.IndexFunc(all, func(o owned) bool { return o.name != d.Name && own.overlaps(o.territory) })
			if i < 0 {
				return false
			}
			w.leaveOut(d.Destination, finding.SharedPath(), fmt.Sprintf(
				"its directory %q and %q of Destination %s are in each other's way in %s; neither is written", own.dir, all[i].dir, all[i].name, store.ref))
			return true
		})
	}
}
