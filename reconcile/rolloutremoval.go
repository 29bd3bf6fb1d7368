package reconcile

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/rollout"
)

// removedRecord is a record of dependencies that are to be removed.
type removedRecord struct {
	view   *destinationView
	record *recordView
}

// removalKey identifies the dependencies of one Promise and Rollout.
type removalKey struct {
	spec    *rolloutSpec
	promise string
}

// keepRemoved keeps dependencies that are to be removed while their Rollout does not allow it.
func (o *rollingOut) keepRemoved() {
	leaving := map[removalKey][]removedRecord{}
	for _, store := range o.stores {
		for _, view := range store.destinations {
			part := o.parts[view.Name]
			gone := setOf(part.removed, part.proven)
			if len(gone) == 0 || view.IsDeleted() {
				continue
			}
			for i := range view.records {
				record := &view.records[i]
				if !gone[record.Placement] || !record.Placement.IsDependency() {
					continue
				}
				if spec := o.specs.ofRecord(record); spec != nil && spec.Spec != nil {
					key := removalKey{spec, record.Placement.Spec.PromiseName}
					leaving[key] = append(leaving[key], removedRecord{view, record})
				}
			}
		}
	}
	keys := slices.SortedFunc(maps.Keys(leaving), func(a, b removalKey) int {
		return cmp.Or(strings.Compare(a.spec.name, b.spec.name), strings.Compare(a.promise, b.promise))
	})
	for _, key := range keys {
		o.planRemoval(key.spec, key.promise, leaving[key])
	}
}

func (o *rollingOut) planRemoval(spec *rolloutSpec, promise string, records []removedRecord) {
	from := make([]rollout.Removal, 0, len(records))
	for _, r := range records {
		from = append(from, rollout.Removal{Destination: r.view.Name, Labels: r.view.Labels})
	}
	reasons, due := rollout.PlanRemoval(spec.Spec, from, o.hasRequests(promise), o.now)
	for i, why := range reasons {
		if why != "" {
			o.keepOne(records[i], why)
			o.result.keepsRemoved = true
		}
	}
	o.wake(due)
}

// keepOne moves a placement from the removed to the waiting placements.
func (o *rollingOut) keepOne(r removedRecord, why string) {
	o.parts.changeOn(r.view.Name, func(part *destinationPlan) {
		others := func(list []*kratix.WorkPlacement) []*kratix.WorkPlacement {
			return slices.DeleteFunc(slices.Clone(list), func(p *kratix.WorkPlacement) bool { return p == r.record.Placement })
		}
		part.removed, part.proven = others(part.removed), others(part.proven)
		part.waiting = append(part.waiting, waitingPlacement{work: r.record.Placement.Work().String(), reason: why, stored: r.record.Placement})
	})
}

// hasRequests reports whether a request of a Promise is recorded in a store.
func (o *rollingOut) hasRequests(promise string) bool {
	for _, store := range o.stores {
		for _, view := range store.destinations {
			if slices.ContainsFunc(view.records, func(r recordView) bool {
				return r.Placement.Spec.PromiseName == promise && !r.Placement.IsDependency()
			}) {
				return true
			}
		}
	}
	return false
}

// wake makes the next round due at a time, unless it is due earlier.
func (o *rollingOut) wake(at time.Time) {
	if !at.IsZero() && (o.result.due.IsZero() || at.Before(o.result.due)) {
		o.result.due = at
	}
}
