package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// reuseWritten derives an outcome without reading files. It requires that all or none of the last
// changes are in the store and that nothing else has changed, and otherwise returns false.
func (known *cacheEntry) reuseWritten(now situation) (cacheEntry, bool) {
	was := &known.situation
	if !now.plan.rendersAs(was.plan, now.policy.Owner) {
		return cacheEntry{}, false
	}
	made := changes{actions: map[*candidate]statestore.Action{}}
	actions := map[*kratix.WorkPlacement]statestore.Action{}
	switch {
	case now.differsBy(known.outcome.changes, was):
	case now.differsBy(fileChanges{}, was):
		made.set, made.units = known.outcome.changes, known.outcome.units
		for _, p := range known.outcome.placements {
			if p.State == report.Placed {
				actions[p.Object] = statestore.Place
			}
		}
	default:
		return cacheEntry{}, false
	}
	c := &checked{wanted: wanted{situation: now, findings: known.outcome.findings}}
	for i := range now.plan.placements {
		from := &now.plan.placements[i]
		p := &candidate{placement: placement{WorkPlacement: from.WorkPlacement, from: from, decision: decision{state: report.Placed, reason: from.Reason}}}
		made.actions[p] = actions[was.plan.placements[i].WorkPlacement]
		c.candidates = append(c.candidates, p)
	}
	return cacheEntry{situation: now.kept(), outcome: newOutcome(c, made), independent: known.independent}, true
}

// rendersAs reports whether the placements of two destination plans have the same files and
// records, and none is misplaced.
func (p destinationPlan) rendersAs(other destinationPlan, owner string) bool {
	return slices.EqualFunc(p.placements, other.placements, func(a, b scheduler.Placement) bool {
		return !a.Misplaced && a.Spec.TargetDestinationName == b.Spec.TargetDestinationName && renderKeyOf(&a, owner) == renderKeyOf(&b, owner)
	})
}

// differsBy reports whether the changes lead from the earlier files of the Destination to the
// current files, and remove nothing.
func (s *situation) differsBy(changes fileChanges, was *situation) bool {
	if len(changes.Remove)+len(changes.Unfinished) > 0 {
		return false
	}
	files, missing, digests := s.store.state.Files.Within(s.base), changes.Write, changes.digests
	for path := range files.Differing(was.store.state.Files.Within(s.base)) {
		if len(missing) == 0 || missing[0].Path != path {
			return false
		}
		if sum, there := files.Digest(path); !there || sum != digests[0] {
			return false
		}
		missing, digests = missing[1:], digests[1:]
	}
	return len(missing) == 0
}
