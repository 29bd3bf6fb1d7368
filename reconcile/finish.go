package reconcile

import (
	"context"
	"errors"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Finish is the last step of a round: it does something with the changes of
// each store, and says of each, in their order, how that went.
type Finish func(context.Context, []statestore.Part) []Outcome

// Outcome is what became of the changes of one store.
type Outcome struct {
	// Revision holds the changes, when Err is nil.
	Revision statestore.Revision
	Err      error
}

// Each makes a Finish of what does one store after the other.
func Each(one func(context.Context, statestore.Part) Outcome) Finish {
	return func(ctx context.Context, parts []statestore.Part) []Outcome {
		outcomes := make([]Outcome, len(parts))
		for i, part := range parts {
			outcomes[i] = one(ctx, part)
		}
		return outcomes
	}
}

// failures joins what went wrong. What goes on has not failed.
func failures(outcomes []Outcome) error {
	var all []error
	for _, outcome := range outcomes {
		if !errors.Is(outcome.Err, statestore.ErrPending) {
			all = append(all, outcome.Err)
		}
	}
	return errors.Join(all...)
}

// Preview writes nothing.
func Preview(ctx context.Context, parts []statestore.Part) []Outcome {
	return Each(func(_ context.Context, part statestore.Part) Outcome { return Outcome{Revision: part.Changes.Base} })(ctx, parts)
}

// joiner is a store that can be written at once with others in the same place.
type joiner interface {
	statestore.Store
	// Joins tells whether the other one can be written with this one.
	Joins(other statestore.Store) bool
	// ApplyAll makes all changes or none, and gives the revision that holds them.
	ApplyAll(context.Context, []statestore.Part) (statestore.Revision, error)
}

// Commit writes the changes. Stores in one place are written at once; when that
// fails each is tried alone, so that none is in the way of another and each has
// an error of its own.
func Commit(ctx context.Context, parts []statestore.Part) []Outcome {
	outcomes := make([]Outcome, len(parts))
	for _, group := range together(parts) {
		if group.commit(ctx, outcomes) {
			continue
		}
		for i, part := range group.parts {
			outcome := &outcomes[group.at[i]]
			outcome.Revision, outcome.Err = part.Store.Apply(ctx, part.Changes)
		}
	}
	return outcomes
}

// joint is what can be written at once.
type joint struct {
	first joiner // nil for what stays alone
	parts []statestore.Part
	at    []int // the places of the parts among all
}

// together groups parts. One without changes stays alone.
func together(parts []statestore.Part) []*joint {
	var groups []*joint
	for i, part := range parts {
		mine, _ := part.Store.(joiner)
		if part.Changes.Empty() {
			mine = nil
		}
		at := slices.IndexFunc(groups, func(g *joint) bool { return mine != nil && g.first != nil && g.first.Joins(mine) })
		if at < 0 {
			at, groups = len(groups), append(groups, &joint{first: mine})
		}
		groups[at].parts = append(groups[at].parts, part)
		groups[at].at = append(groups[at].at, i)
	}
	return groups
}

// commit writes several stores at once, and tells whether it did.
func (g *joint) commit(ctx context.Context, outcomes []Outcome) bool {
	if len(g.parts) < 2 {
		return false
	}
	revision, err := g.first.ApplyAll(ctx, g.parts)
	if err != nil {
		return false
	}
	for _, i := range g.at {
		outcomes[i].Revision = revision
	}
	return true
}
