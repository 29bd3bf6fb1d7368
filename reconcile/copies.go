package reconcile

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

type recordedCopy struct {
	home
	at int // the index in records
}

func (c recordedCopy) placement() *kratix.WorkPlacement { return c.records[c.at].Placement }

// resolveCopies decides which placement of a group stays if several Destinations have a record of
// the group and no record describes a move. It marks that placement as moved from another
// Destination.
func resolveCopies(o *observed, seen *observations) {
	lists := recordLists(o)
	if slices.EqualFunc(lists, seen.withoutCopies, isSame[recordView]) {
		return
	}
	copies := map[placedGroup][]recordedCopy{}
	first := make(map[placedGroup]recordedCopy, len(o.Works))
	for _, store := range o.stores {
		for _, d := range store.destinations {
			if !mayHaveCopies(store, d) {
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
	if seen.withoutCopies = nil; len(copies) == 0 {
		seen.withoutCopies = lists
		return
	}
	ranks := rankCopies(o, copies)
	for _, group := range slices.SortedFunc(maps.Keys(copies), comparePlacedGroups) {
		resolveCopy(o, copies[group], ranks[group])
	}
}

func mayHaveCopies(store *storeView, d *destinationView) bool {
	return store.err == nil && !d.isRemovedWithFiles()
}

func recordLists(o *observed) [][]recordView {
	var lists [][]recordView
	for _, store := range o.stores {
		for _, d := range store.destinations {
			if mayHaveCopies(store, d) {
				lists = append(lists, d.records)
			}
		}
	}
	return lists
}

func comparePlacedGroups(a, b placedGroup) int {
	return cmp.Or(a.work.Compare(b.work), cmp.Compare(a.id, b.id))
}

// copyRanks are the criteria that rank the copies of a group.
type copyRanks struct {
	// remembered are the Destinations with a WorkPlacement in the source. decided is the Destination
	// in the Work's decision.
	remembered map[string]bool
	decided    string
	// fits reports whether the group may be on a Destination. It is nil if the Work is unknown.
	fits func(*kratix.Destination) bool
}

func rankCopies(o *observed, copies map[placedGroup][]recordedCopy) map[placedGroup]*copyRanks {
	ranks := make(map[placedGroup]*copyRanks, len(copies))
	for group := range copies {
		ranks[group] = &copyRanks{remembered: map[string]bool{}}
	}
	for _, p := range o.Existing {
		if rank := ranks[groupOf(p)]; rank != nil {
			rank.remembered[p.Spec.TargetDestinationName] = true
		}
	}
	for _, work := range o.Works {
		decisions, _ := work.Decisions() // addDecisions reports invalid decisions
		for i := range work.Spec.WorkloadGroups {
			group := &work.Spec.WorkloadGroups[i]
			if rank := ranks[placedGroup{kratix.KeyOf(work), group.ID}]; rank != nil {
				rank.decided = decisions[group.ID].Destination
				rank.fits = func(d *kratix.Destination) bool { return scheduler.Fits(work, group, d) }
			}
		}
	}
	return ranks
}

func (r *copyRanks) compare(a, b recordedCopy) int {
	order := func(c recordedCopy) int {
		switch {
		case r.remembered[c.Name]:
			return 0
		case r.decided == c.Name:
			return 1
		}
		return 2
	}
	misfit := func(c recordedCopy) int {
		fits := c.placement().Labels[kratix.MisplacedLabel] == ""
		if r.fits != nil {
			fits = r.fits(c.Destination)
		}
		if fits {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(order(a), order(b)), cmp.Compare(misfit(a), misfit(b)), cmp.Compare(a.Name, b.Name))
}

func resolveCopy(o *observed, copies []recordedCopy, ranks *copyRanks) {
	moves := slices.ContainsFunc(copies, func(c recordedCopy) bool {
		from := c.placement().Labels[kratix.MovedFromLabel]
		return slices.ContainsFunc(copies, func(other recordedCopy) bool { return other.Name == from })
	})
	if moves {
		return
	}
	slices.SortFunc(copies, ranks.compare)
	stays, goes := copies[0], copies[1]
	marked := stays.placement().DeepCopy()
	marked.Labels[kratix.MovedFromLabel] = goes.Name
	stays.records = slices.Clone(stays.records)
	record := *stays.records[stays.at].Record
	record.Placement = marked
	stays.destinationView.records = stays.records
	stays.destinationView.records[stays.at].Record = &record
	stays.destinationView.assumed = append(slices.Clip(stays.assumed), marked)
	o.findings = append(o.findings, finding.Finding{
		Rule: finding.PlacedTwice(), Place: finding.Place{Object: kratix.WorkKind + " " + marked.Work().String()},
		Message: fmt.Sprintf("its group %s is on %s and on %s; it stays on %s, and the copy on %s is removed",
			kratix.ShortID(marked.Spec.ID), stays.Name, goes.Name, stays.Name, goes.Name),
	})
}
