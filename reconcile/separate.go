package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// location returns the location of a directory below the store's path. A store with an invalid path
// has a storage of its own.
func (s *storeView) location(dir tree.Path) layout.Location {
	at, err := layout.StoreLocation(s.ref, s.spec)
	if err != nil {
		at.Storage = s.ref.String()
	}
	return at.Join(dir)
}

type owned struct {
	layout.Location
	*destinationView
}

// separate excludes Destinations whose directories overlap in one storage.
func separate(o *observed) {
	all := withoutVacant(o)
	inTheWay := overlapping(all)
	for _, store := range o.stores {
		store.destinations = slices.DeleteFunc(store.destinations, func(d *destinationView) bool {
			other, overlaps := inTheWay[d]
			if overlaps {
				o.leaveOut(d.Destination, finding.SharedPath(), fmt.Sprintf(
					"its directory %q and %q of Destination %s overlap in %s; neither is written",
					store.location(d.base).Dir, other.Dir, other.Name, store.ref))
			}
			return overlaps
		})
	}
}

// withoutVacant excludes the vacant Destinations that overlap others, and returns the rest with
// their locations.
func withoutVacant(o *observed) []owned {
	var all []owned
	vacant := map[*destinationView]bool{}
	for _, store := range o.stores {
		for _, d := range store.destinations {
			all = append(all, owned{store.location(d.base), d})
			vacant[d] = isVacant(o, store, d)
		}
	}
	for {
		inTheWay := overlapping(all)
		at := slices.IndexFunc(all, func(one owned) bool {
			_, is := inTheWay[one.destinationView]
			return is && vacant[one.destinationView]
		})
		if at < 0 {
			return all
		}
		out := all[at].destinationView
		all = slices.Delete(all, at, at+1)
		o.vacant = append(o.vacant, out.Destination)
		for _, store := range o.stores {
			store.destinations = slices.DeleteFunc(store.destinations, func(d *destinationView) bool { return d == out })
		}
	}
}

// isVacant reports whether a Destination is being deleted and certainly has no recorded placements.
func isVacant(o *observed, store *storeView, d *destinationView) bool {
	if !d.IsDeleted() || store.err != nil || o.hasExisting(d.Name) {
		return false
	}
	dir, err := layout.RecordsDir(d.Destination)
	if err != nil {
		return false
	}
	for path := range store.state.Files.Below(dir) {
		if strings.Contains(path.Base(), "."+d.Name+"-") || len(path.Base()) > longName { // names of records contain the Destination's name
			return false
		}
	}
	return true
}

// longName is the length in bytes above which the name of a record may be truncated.
const longName = 200

func (o *observed) hasExisting(destination string) bool {
	return slices.ContainsFunc(o.Existing, func(p *kratix.WorkPlacement) bool { return p.Spec.TargetDestinationName == destination })
}

// emptied returns the names of the Destinations that are being deleted, are left out of the round
// and have nothing recorded.
func emptied(o *observed) []string {
	var names []string
	for _, d := range o.vacant {
		names = append(names, d.Name)
	}
	for _, d := range o.misfits {
		isRead := func(s *storeView) bool { return s.ref == *d.Spec.StateStoreRef && s.err == nil }
		isRecorded := slices.ContainsFunc(o.former, func(f *formerPlacement) bool { return f.target() == d.Name }) || o.hasExisting(d.Name)
		if d.IsDeleted() && !isRecorded && (slices.ContainsFunc(o.stores, isRead) || slices.ContainsFunc(o.unused, isRead)) {
			names = append(names, d.Name)
		}
	}
	return names
}

// overlapping maps each Destination that overlaps others to one of them. It sorts all.
func overlapping(all []owned) map[*destinationView]owned {
	slices.SortStableFunc(all, func(a, b owned) int {
		return cmp.Or(cmp.Compare(a.Storage, b.Storage), tree.Compare(a.Dir, b.Dir))
	})
	found := map[*destinationView]owned{}
	for outer := 0; outer < len(all); {
		next := outer + 1
		for ; next < len(all) && all[next].Overlaps(all[outer].Location); next++ {
			found[all[next].destinationView] = all[outer]
		}
		if next > outer+1 {
			found[all[outer].destinationView] = all[outer+1]
		}
		outer = next
	}
	return found
}
