package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

// formerLocation is where a Destination was.
type formerLocation struct {
	target string
	store  kratix.StateStoreReference
	base   tree.Path
}

func (l formerLocation) String() string { return fmt.Sprintf("%q of %s", l.base, l.store) }

func (f *formerPlacement) location() formerLocation {
	return formerLocation{f.target(), f.store.ref, f.base}
}

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

// absent reports the placements on a Destination that is not in the input.
func (w *world) absent(part scheduler.Part) finding.Finding {
	var places []string
	for _, f := range w.former {
		if at := f.location().String(); f.counts && f.target() == part.Destination && !slices.Contains(places, at) {
			places = append(places, at)
		}
	}
	anew := "place its requests anew with --on-misplaced move"
	if w.Assigned {
		anew = "delete its WorkPlacements"
	}
	where := cmp.Or(strings.Join(places, " and "), "its state store")
	return finding.Finding{
		Rule: finding.DestinationAbsent(), Place: finding.Place{Object: kratix.DestinationKind + " " + part.Destination},
		Message: fmt.Sprintf("it is not in the input; %s in %s, and the requests are not placed elsewhere", countOf(len(part.Placements), "placement of it stays", "placements of it stay"), where),
		Fix:     fmt.Sprintf("Add the Destination again. If it is gone for good, %s, then run kratix-schedule cleanup %s --apply.", anew, part.Destination),
	}
}
