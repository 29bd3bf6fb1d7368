package reconcile

import (
	"context"
	"errors"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Finish is the last step of a round: it does something with the changes of
// each store, and says of each, in their order, how that went.
type Finish func(context.Context, []statestore.Part) []statestore.Outcome

// Each makes a Finish of what does one store after the other.
func Each(one func(context.Context, statestore.Part) statestore.Outcome) Finish {
	return func(ctx context.Context, parts []statestore.Part) []statestore.Outcome {
		outcomes := make([]statestore.Outcome, len(parts))
		for i, part := range parts {
			outcomes[i] = one(ctx, part)
		}
		return outcomes
	}
}

// failures joins what went wrong: neither what goes on, nor what was only
// rehearsed.
func failures(outcomes []statestore.Outcome) error {
	var all []error
	for _, outcome := range outcomes {
		if !errors.Is(outcome.Err, statestore.ErrPending) && !errors.Is(outcome.Err, errRehearsed) {
			all = append(all, outcome.Err)
		}
	}
	return errors.Join(all...)
}

// Preview writes nothing.
func Preview(_ context.Context, parts []statestore.Part) []statestore.Outcome {
	outcomes := make([]statestore.Outcome, len(parts))
	for i, part := range parts {
		outcomes[i].Revision = part.Changes.Base
	}
	return outcomes
}

// Rehearse writes nothing, and says so of each store that has changes.
func Rehearse(_ context.Context, parts []statestore.Part) []statestore.Outcome {
	outcomes := make([]statestore.Outcome, len(parts))
	for i, part := range parts {
		outcomes[i].Revision = part.Changes.Base
		if !part.Changes.Empty() {
			outcomes[i].Err = errRehearsed
		}
	}
	return outcomes
}

// errRehearsed is no failure: it means that changes were meant to stay unwritten.
var errRehearsed = errors.New("nothing is written in a dry run")

// Commit writes the changes: those of stores in one location at once, and all
// locations side by side, so that a slow one holds up no other.
func Commit(ctx context.Context, parts []statestore.Part) []statestore.Outcome {
	return statestore.Commit(ctx, parts)
}
