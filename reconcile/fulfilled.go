package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/report"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// fulfilled gives the outcome of a Destination on which all that the last round
// wanted to write is written, and nothing else has changed: there is nothing left
// to do, and nothing to look at closely. It gives false when that is not plain.
func (known *settled) fulfilled(now situation) (settled, bool) {
	if known.calm == nil || !now.isPlain() || !now.comesOf(&known.situation) ||
		!now.part.rendersAs(known.situation.part, now.policy.Owner) || !now.differsBy(known.outcome.changes, &known.situation) {
		return settled{}, false
	}
	dest := &desiredDestination{situation: now}
	for i := range now.part.placements {
		p := &now.part.placements[i]
		dest.placements = append(dest.placements, &desiredPlacement{WorkPlacement: p.WorkPlacement, from: p, state: report.Unchanged, reason: p.Reason})
	}
	return settled{situation: now.kept(), outcome: dest.outcome(), calm: known.calm}, true
}

// rendersAs tells that the placements of two parts have the same files and
// records; none of them is misplaced.
func (p part) rendersAs(other part, owner string) bool {
	return slices.EqualFunc(p.placements, other.placements, func(a, b scheduler.Placement) bool {
		return !a.Misplaced && a.Spec.TargetDestinationName == b.Spec.TargetDestinationName && renderKeyOf(&a, owner) == renderKeyOf(&b, owner)
	})
}

// differsBy tells that the Destination's files are what others become by changes
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

// renderKeyOf gives what a placement's files and record depend on.
func renderKeyOf(p *scheduler.Placement, owner string) renderKey {
	return renderKey{
		work: p.Work, group: p.Spec.ID, name: p.Name,
		misplaced: p.Misplaced, movedFrom: p.Labels[kratix.MovedFromLabel], owner: owner,
	}
}
