package reconcile

import (
	"cmp"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// carry returns the outcome of a calm Destination where all that is wanted looks as it
// did in the last round, though the objects may be others, and where that is
// written by now, or nothing is: no file has to be looked at. It returns false when
// anything else has changed.
func (known *settled) carry(now situation) (settled, bool) {
	was := &known.situation
	if !now.part.rendersAs(was.part, now.policy.Owner) {
		return settled{}, false
	}
	dest := &desiredDestination{situation: now}
	states := map[*kratix.WorkPlacement]report.State{}
	switch {
	case now.differsBy(known.outcome.changes, was):
	case now.differsBy(statestore.ChangeSet{}, was):
		dest.changes, dest.units = known.outcome.changes, known.outcome.units
		for _, told := range known.outcome.told {
			states[told.Object] = told.State
		}
	default:
		return settled{}, false
	}
	for i := range now.part.placements {
		p := &now.part.placements[i]
		state := cmp.Or(states[was.part.placements[i].WorkPlacement], report.Unchanged)
		dest.placements = append(dest.placements, &desiredPlacement{WorkPlacement: p.WorkPlacement, from: p, state: state, reason: p.Reason})
	}
	return settled{situation: now.kept(), outcome: dest.outcome(), calm: known.calm}, true
}

// rendersAs reports whether the placements of two parts have the same files and
// records; none of them is misplaced.
func (p part) rendersAs(other part, owner string) bool {
	return slices.EqualFunc(p.placements, other.placements, func(a, b scheduler.Placement) bool {
		return !a.Misplaced && a.Spec.TargetDestinationName == b.Spec.TargetDestinationName && renderKeyOf(&a, owner) == renderKeyOf(&b, owner)
	})
}

// differsBy reports whether the Destination's files are what others become by changes
// that remove nothing.
func (s *situation) differsBy(changes statestore.ChangeSet, was *situation) bool {
	if len(changes.Remove)+len(changes.Unfinished) > 0 {
		return false
	}
	files, missing := s.store.state.Files.Within(s.base), changes.Write
	for path := range files.Differing(was.store.state.Files.Within(s.base)) {
		if len(missing) == 0 || missing[0].Path != path {
			return false
		}
		if sum, there := files.Sum(path); !there || sum != s.store.state.Contents.Sum(missing[0].Content) {
			return false
		}
		missing = missing[1:]
	}
	return len(missing) == 0
}
