package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// attempts is how often a round is tried while other writers get in first.
const attempts = 5

// tries are what a round came to in several tries: what one has written the
// next finds unchanged, and it was written all the same.
type tries struct {
	placements []report.Placement
	stores     []report.Store
}

// add takes in what a try has written.
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

// all returns the last try's report, with what the ones before it have written.
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
		default: // one try has written a part of it, the next one the rest
			last.Stores[at].Destinations = slices.Concat(store.Destinations, last.Stores[at].Destinations)
		}
	}
	return last
}
