package reconcile

import (
	"context"
	"errors"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Finish is the last step of a round: it writes, shows or drops the changes of each store,
// and returns an outcome for each, in the same order.
type Finish func(context.Context, []statestore.StoreChanges) []statestore.Outcome

// Each returns a Finish that calls a function for one store after the other.
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

// isPending reports whether an error of a write means that it is in progress or comes later.
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

// Rehearse is a Finish that writes nothing, and reports each store with changes as rehearsed.
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

// errRehearsed marks changes that were left unwritten on purpose. Such changes have not failed.
var errRehearsed = errors.New("nothing is written in a dry run")

// Commit is a Finish that writes the changes. It writes the stores of one location together, and
// all locations concurrently, so that a slow location delays no other.
func Commit(ctx context.Context, parts []statestore.StoreChanges) []statestore.Outcome {
	return statestore.Commit(ctx, parts)
}
