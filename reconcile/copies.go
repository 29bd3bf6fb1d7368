package reconcile

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/finding"
	"github.com/kratix-schedule/kratix-schedule/kratix"
)

// recordedCopy is one of several records of a request's group.
type recordedCopy struct {
	home
	at int // in the Destination's records
}

func (c recordedCopy) placement() *kratix.WorkPlacement { return c.records[c.at].Placement }

// settleCopies decides which placement of a group stays where a request is recorded
// on several Destinations and no move explains that. The one that stays is marked as
// moved from the other, which then goes as in every move. In this order
// counts: a WorkPlacement in the source, the Work's own decision, a Destination
// whose labels fit, the Destination's name.
func (w *world) settleCopies() {
	copies := map[placedGroup][]recordedCopy{}
	first := make(map[placedGroup]recordedCopy, len(w.Works))
	for _, store := range w.stores {
		for _, d := range store.destinations {
			if store.err != nil || d.goesWithItsFiles() {
				continue
			}
			for i, record := range d.records {
				if record.Placement.IsDependency() {
					continue
				}
				group, c := groupOf(record.Placement), recordedCopy{home{d, store}, i}
				if other, again := first[group]; again {
					if len(copies[group]) == 0 {
						copies[group] = []recordedCopy{other}
					}
					copies[group] = append(copies[group], c)
					continue
				}
				first[group] = c
			}
		}
	}
	if len(copies) == 0 {
		return
	}
	preferred := w.preferred(copies)
	for _, group := range slices.SortedFunc(maps.Keys(copies), comparePlacedGroups) {
		w.settleGroup(copies[group], preferred[group])
	}
}

func comparePlacedGroups(a, b placedGroup) int {
	return cmp.Or(a.work.Compare(b.work), cmp.Compare(a.id, b.id))
}

// preferred returns the Destinations that WorkPlacements and the Works' decisions
// name, those of WorkPlacements first.
func (w *world) preferred(copies map[placedGroup][]recordedCopy) map[placedGroup][]string {
	preferred := map[placedGroup][]string{}
	for _, p := range w.Existing {
		if group := groupOf(p); len(copies[group]) > 0 {
			preferred[group] = append(preferred[group], p.Spec.TargetDestinationName)
		}
	}
	for _, work := range w.Works {
		decisions, _ := work.Decisions() // what is wrong with them is reported elsewhere
		for id, decision := range decisions {
			if group := (placedGroup{kratix.KeyOf(work), id}); len(copies[group]) > 0 {
				preferred[group] = append(preferred[group], decision.Destination)
			}
		}
	}
	return preferred
}

// settleGroup marks the copy that stays.
func (w *world) settleGroup(copies []recordedCopy, preferred []string) {
	moves := slices.ContainsFunc(copies, func(c recordedCopy) bool {
		from := c.placement().Labels[kratix.MovedFromLabel]
		return slices.ContainsFunc(copies, func(other recordedCopy) bool { return other.Name == from })
	})
	if moves {
		return
	}
	rank := func(c recordedCopy) int {
		if at := slices.Index(preferred, c.Name); at >= 0 {
			return at
		}
		return len(preferred)
	}
	misplaced := func(c recordedCopy) string { return c.placement().Labels[kratix.MisplacedLabel] }
	slices.SortFunc(copies, func(a, b recordedCopy) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(misplaced(a), misplaced(b)), cmp.Compare(a.Name, b.Name))
	})
	stays, goes := copies[0], copies[1]
	marked := stays.placement().DeepCopy()
	marked.Labels[kratix.MovedFromLabel] = goes.Name
	stays.records = slices.Clone(stays.records)
	record := *stays.records[stays.at].Record
	record.Placement = marked
	stays.destinationView.records = stays.records
	stays.destinationView.records[stays.at].Record = &record
	stays.destinationView.assumed = append(slices.Clip(stays.assumed), marked)
	w.findings = append(w.findings, finding.Finding{
		Rule: finding.PlacedTwice(), Place: finding.Place{Object: kratix.WorkKind + " " + marked.Work().String()},
		Message: fmt.Sprintf("its group %s is on %s and on %s; it stays on %s, and the copy on %s is removed",
			kratix.ShortID(marked.Spec.ID), stays.Name, goes.Name, stays.Name, goes.Name),
	})
}
