package reconcile

import (
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// reportOldCopies adds a finding for each directory that has old copies and that no Destination
// uses any more.
func reportOldCopies(o *observed) {
	counts := map[formerLocation]int{}
	var found []formerLocation
	for _, f := range o.former {
		isCopy := !f.counts || o.reaches(f.target())
		if f.at != nil || !isCopy || !o.knows(f.Placement.Work()) || o.has(f.target()) && !o.reaches(f.target()) {
			continue
		}
		if counts[f.location()]++; counts[f.location()] == 1 {
			found = append(found, f.location())
		}
	}
	for _, at := range found {
		o.findings = append(o.findings, finding.Finding{
			Rule: finding.OldCopy(), Place: finding.Place{Object: kratix.DestinationKind + " " + at.target},
			Message: fmt.Sprintf("%s left in %s, an earlier location; a cluster that still reads there runs an old copy", countOf(counts[at], "placement of it is", "placements of it are"), at),
			Fix:     fmt.Sprintf("Point the cluster to the new location, then remove the old copy: kratix-schedule cleanup %s --apply.", at.target),
		})
	}
}

type formerLocation struct {
	target string
	store  kratix.StateStoreReference
	base   tree.Path
}

func countOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func (o *observed) reaches(name string) bool {
	return slices.ContainsFunc(o.stores, func(s *storeView) bool {
		return slices.ContainsFunc(s.destinations, func(d *destinationView) bool { return d.Name == name })
	})
}

// knows reports whether a Work is or may be in the input, valid or not.
func (o *observed) knows(key kratix.Key) bool {
	if o.works == nil {
		o.works = make(map[kratix.Key]bool, len(o.Works)+len(o.Rejected))
		for _, work := range o.Works {
			o.works[kratix.KeyOf(work)] = true
		}
		for _, rejected := range o.Rejected {
			o.works[rejected] = true
		}
	}
	return o.Incomplete || o.works[key]
}

func (f *formerPlacement) location() formerLocation {
	return formerLocation{f.target(), f.store.ref, f.base}
}

func (l formerLocation) String() string { return fmt.Sprintf("%q of %s", l.base, l.store) }
