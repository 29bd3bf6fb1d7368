package reconcile

import (
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// reportFormer reports the old copies in directories that no Destination has any
// more, one finding for each directory. Those of Destinations that are in the input
// and cannot be used now lie, as far as is known, where they should.
func (w *world) reportFormer() {
	counts := map[formerLocation]int{}
	var found []formerLocation
	for _, f := range w.former {
		isCopy := !f.counts || w.reaches(f.target())
		if f.at != nil || !isCopy || !w.knows(f.Placement.Work()) || w.has(f.target()) && !w.reaches(f.target()) {
			continue
		}
		if counts[f.location()]++; counts[f.location()] == 1 {
			found = append(found, f.location())
		}
	}
	for _, at := range found {
		w.findings = append(w.findings, finding.Finding{
			Rule: finding.OldCopy(), Place: finding.Place{Object: kratix.DestinationKind + " " + at.target},
			Message: fmt.Sprintf("%s left in %s, an earlier location; a cluster that still reads there runs an old copy", countOf(counts[at], "placement of it is", "placements of it are"), at),
			Fix:     fmt.Sprintf("Point the cluster to the new location, then remove the old copy: kratix-schedule cleanup %s --apply.", at.target),
		})
	}
}

// formerLocation is where a Destination was.
type formerLocation struct {
	target string
	store  kratix.StateStoreReference
	base   tree.Path
}

// countOf returns a number with the noun in the singular or in the plural.
func countOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// reaches reports whether a Destination of a name can be written to.
func (w *world) reaches(name string) bool {
	return slices.ContainsFunc(w.stores, func(s *storeView) bool {
		return slices.ContainsFunc(s.destinations, func(d *destinationView) bool { return d.Name == name })
	})
}

// knows reports whether a Work is in the input, or may be.
func (w *world) knows(key kratix.Key) bool {
	if w.works == nil {
		w.works = make(map[kratix.Key]bool, len(w.Works)+len(w.Rejected))
		for _, work := range w.Works {
			w.works[kratix.KeyOf(work)] = true
		}
		for _, rejected := range w.Rejected {
			w.works[rejected] = true
		}
	}
	return w.Incomplete || w.works[key]
}

func (f *formerPlacement) location() formerLocation {
	return formerLocation{f.target(), f.store.ref, f.base}
}

func (l formerLocation) String() string { return fmt.Sprintf("%q of %s", l.base, l.store) }
