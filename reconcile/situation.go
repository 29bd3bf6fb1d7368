package reconcile

import (
	"bytes"
	"maps"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

type situation struct {
	store *storeView
	*destinationView
	plan     destinationPlan
	policy   Policy
	excluded map[unit]exclusion
	failed   []*failedFiles
	// hidden means that placements may exist that are not in the plan, because Works cannot be read.
	hidden bool
}

func (s *situation) same(other *situation) bool {
	return s.Destination == other.Destination && s.profile == other.profile && s.store.Store == other.store.Store && s.store.ref == other.store.ref &&
		s.hidden == other.hidden && s.store.limits == other.store.limits && s.sameOutgoing(other) &&
		slices.Equal(s.unfinished(), other.unfinished()) && slices.Equal(s.assumed, other.assumed) && slices.Equal(s.failed, other.failed) && maps.Equal(s.excluded, other.excluded) &&
		s.policy.sameEffect(other.policy) && s.plan.same(other.plan) && s.sameAround(other) && s.store.state.Files.Same(other.store.state.Files, s.base)
}

// sameAround reports whether two situations have the same obstacles in the Destination's directory,
// and the same obstacles, files and ignore files above it.
func (s *situation) sameAround(other *situation) bool {
	is, was := &s.store.state, &other.store.state
	if !is.Obstacles.Same(was.Obstacles, s.base) {
		return false
	}
	for dir := s.base; !dir.IsRoot(); dir = dir.Dir() {
		kind, there := is.Obstacles.At(dir)
		if before, was := was.Obstacles.At(dir); kind != before || there != was {
			return false
		}
		if is.Files.Has(dir) != was.Files.Has(dir) {
			return false
		}
	}
	for file := range kustomize.IgnoreFilesAbove(s.base) {
		before, had := was.Files.Digest(file)
		if now, has := is.Files.Digest(file); has != had || now != before {
			return false
		}
	}
	return true
}

// sameOutgoing reports whether the stores have the same outgoing files and orphans, and the same
// value of Stepwise.
func (s *situation) sameOutgoing(other *situation) bool {
	is, was := &s.store.state, &other.store.state
	return is.Stepwise == was.Stepwise && slices.Equal(s.store.orphans, other.store.orphans) && slices.EqualFunc(is.Outgoing, was.Outgoing, func(a, b statestore.Outgoing) bool {
		return a.Path == b.Path && a.Object == b.Object && a.Stays == b.Stays && bytes.Equal(a.Content, b.Content)
	})
}

func (s *situation) unfinished() []tree.Path {
	var here []tree.Path
	for _, path := range s.store.state.Unfinished {
		if path.Within(s.base) {
			here = append(here, path)
		}
	}
	return here
}

// kept returns a situation without the contents of its store.
func (s situation) kept() situation {
	view := *s.store
	view.state.Contents, view.state.Artifact, view.destinations = nil, nil, nil
	s.store = &view
	return s
}

// isPlain reports whether a Destination has nothing except recorded and planned placements.
func (s *situation) isPlain() bool {
	return !s.relayout && len(s.plan.kept)+len(s.plan.awaiting)+len(s.plan.removed)+len(s.plan.proven)+len(s.plan.moved)+len(s.plan.waiting)+s.plan.former()+len(s.assumed)+
		len(s.legacy)+len(s.unfinished())+len(s.invalidRecords)+len(s.inherited)+len(s.excluded)+len(s.failed) == 0
}

// continues reports whether two situations differ at most in their plans and files.
func (s *situation) continues(was *situation) bool {
	return s.Destination == was.Destination && s.profile == was.profile && s.store.Store == was.store.Store && s.store.ref == was.store.ref && s.store.err == nil &&
		s.sameAround(was) && s.store.limits == was.store.limits && s.policy.sameEffect(was.policy)
}

func (s *situation) key() destinationKey { return destinationKey{s.store.ref, s.Name} }
