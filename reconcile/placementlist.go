package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// placementList is the sorted list of all placements; it is rebuilt only for the Destinations
// that have changed.
type placementList struct {
	parts map[string][]report.Placement
	all   []report.Placement
}

// merge returns all placements in order. The key of each part is its Destination. The result
// is the same slice as before if nothing has changed.
func (r *placementList) merge(parts map[string][]report.Placement) []report.Placement {
	stale := map[string]bool{}
	var fresh []report.Placement
	for name, part := range parts {
		if was, known := r.parts[name]; !known || !slices.Equal(was, part) {
			stale[name] = true
			fresh = append(fresh, part...)
		}
	}
	for name := range r.parts {
		if _, still := parts[name]; !still {
			stale[name] = true
		}
	}
	r.parts = parts
	if len(stale) > 0 {
		slices.SortStableFunc(fresh, report.ComparePlacements)
		r.all = merge(r.all, stale, fresh)
	}
	return r.all
}

// merge returns the placements of before that are not stale, merged with the fresh ones.
func merge(before []report.Placement, stale map[string]bool, fresh []report.Placement) []report.Placement {
	all := make([]report.Placement, 0, len(before)+len(fresh))
	for _, p := range before {
		if stale[p.Destination] {
			continue
		}
		for len(fresh) > 0 && report.ComparePlacements(fresh[0], p) < 0 {
			all, fresh = append(all, fresh[0]), fresh[1:]
		}
		all = append(all, p)
	}
	return append(all, fresh...)
}
