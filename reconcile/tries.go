package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// attempts is the maximum number of tries of a round while other writers change a store.
const attempts = 5

// tries collects the writes of earlier tries of a round, which the last try reports as unchanged.
type tries struct {
	placements []report.Placement
	stores     []report.Store
}

func (t *tries) add(r report.Report) {
	for _, p := range r.Placements {
		if p.State == report.Placed || p.State == report.Removed {
			t.placements = append(t.placements, p)
		}
	}
	for _, store := range r.Stores {
		if len(store.Destinations) > 0 {
			t.stores = append(t.stores, store)
		}
	}
}

func (t *tries) all(last report.Report) report.Report {
	if len(t.placements)+len(t.stores) == 0 {
		return last
	}
	last.Placements, last.Stores = slices.Clone(last.Placements), slices.Clone(last.Stores)
	for _, p := range t.placements {
		at, found := slices.BinarySearchFunc(last.Placements, p, report.ComparePlacements)
		switch {
		case !found:
			last.Placements = slices.Insert(last.Placements, at, p)
		case last.Placements[at].State == report.Unchanged:
			last.Placements[at] = p
		}
	}
	for _, store := range t.stores {
		at := slices.IndexFunc(last.Stores, func(s report.Store) bool { return s.Name == store.Name })
		switch {
		case at < 0:
			last.Stores = append(last.Stores, store)
		case len(last.Stores[at].Destinations) == 0:
			last.Stores[at] = store
		default: // this try and an earlier try have written Destinations of the store
			last.Stores[at].Destinations = slices.Concat(store.Destinations, last.Stores[at].Destinations)
		}
	}
	return last
}
