package reconcile

import (
	"context"
	"errors"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Finish is the last step of a round, such as Commit or Preview. It returns an outcome for each
// element of its argument, in the same order.
type Finish func(context.Context, []statestore.StoreChanges) []statestore.Outcome

// Each returns a Finish that calls a function for each store in turn.
func Each(one func(context.Context, statestore.StoreChanges) statestore.Outcome) Finish {
	return func(ctx context.Context, parts []statestore.StoreChanges) []statestore.Outcome {
		outcomes := make([]statestore.Outcome, len(parts))
		for i, part := range parts {
			outcomes[i] = one(ctx, part)
		}
		return outcomes
	}
}

func failures(outcomes []statestore.Outcome) error {
	var all []error
	for _, outcome := range outcomes {
		if !isPending(outcome.Err) && !errors.Is(outcome.Err, errRehearsed) {
			all = append(all, outcome.Err)
		}
	}
	return errors.Join(all...)
}

// isPending reports whether an error means that a write is in progress or will be tried later.
func isPending(err error) bool {
	return errors.Is(err, statestore.ErrPending) || errors.Is(err, statestore.ErrThrottled)
}

// Preview is a Finish that writes nothing.
func Preview(_ context.Context, parts []statestore.StoreChanges) []statestore.Outcome {
	outcomes := make([]statestore.Outcome, len(parts))
	for i, part := range parts {
		outcomes[i].Revision = part.Changes.Base
	}
	return outcomes
}

// Rehearse is a Finish that writes nothing, and returns an error for each store with changes.
func Rehearse(_ context.Context, parts []statestore.StoreChanges) []statestore.Outcome {
	outcomes := make([]statestore.Outcome, len(parts))
	for i, part := range parts {
		outcomes[i].Revision = part.Changes.Base
		if !part.Changes.Empty() {
			outcomes[i].Err = errRehearsed
		}
	}
	return outcomes
}

// errRehearsed is the error of changes that were left unwritten on purpose.
var errRehearsed = errors.New("nothing is written in a dry run")

// Commit is a Finish that writes the changes, with [statestore.Commit].
func Commit(ctx context.Context, parts []statestore.StoreChanges) []statestore.Outcome {
	return statestore.Commit(ctx, parts)
}
