package throttle

import (
	"context"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// location is a Location with limited commits and reads.
type location struct {
	inner   statestore.Location
	limit   *limit
	storage string
}

var _ statestore.Location = location{}

// Read returns the newest state, or the last one if it was read recently.
func (l location) Read(ctx context.Context, view statestore.View) (statestore.State, error) {
	if state, ok := l.limit.last(view); ok {
		return state, statestore.Ended(ctx, "read", view.Name)
	}
	began := l.limit.throttle.Now()
	state, err := l.inner.Read(ctx, view)
	if err == nil {
		l.limit.remember(l.storage, view, state, began)
	}
	return state, err
}

// Write makes the changes, or returns ErrThrottled if they must wait.
func (l location) Write(ctx context.Context, parts []statestore.ViewChanges) []statestore.Outcome {
	if isEmpty(parts) {
		l.limit.drop(parts)
		return l.inner.Write(ctx, parts)
	}
	next, ok := l.limit.admit(l, parts)
	if !ok {
		return statestore.Refuse(parts, func(view statestore.View) error { return errThrottled(view, next) })
	}
	return l.inner.Write(ctx, parts)
}

func isEmpty(parts []statestore.ViewChanges) bool {
	for _, part := range parts {
		if !part.Changes.Empty() {
			return false
		}
	}
	return true
}
