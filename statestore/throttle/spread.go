package throttle

import (
	"context"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Spread returns an Opener whose stores delay admitted commits to a registry until their turn. It
// must be below the workers, because a round does not wait for these commits.
func (t *Throttle) Spread(stores statestore.Opener) statestore.Opener {
	return spreadStores{stores, t}
}

type spreadStores struct {
	statestore.Opener
	throttle *Throttle
}

// Open opens a store.
func (s spreadStores) Open(ref kratix.StateStoreReference, spec kratix.Object, secret *kratix.Secret) (statestore.Store, error) {
	store, err := s.Opener.Open(ref, spec, secret)
	if _, isRegistry := spec.(*kratix.OCIStateStore); err != nil || !isRegistry {
		return store, err
	}
	view := statestore.ViewOf(ref.String(), store)
	return view.Through(spreadLocation{view.Location, s.throttle, ref}), nil
}

// Keep calls Keep of the Opener.
func (s spreadStores) Keep(refs []kratix.StateStoreReference) { statestore.Keep(s.Opener, refs) }

type spreadLocation struct {
	statestore.Location
	throttle *Throttle
	ref      kratix.StateStoreReference
}

// Write makes the changes when it is their turn.
func (l spreadLocation) Write(ctx context.Context, parts []statestore.ViewChanges) []statestore.Outcome {
	l.throttle.mu.Lock()
	at, ok := l.throttle.refs[l.ref]
	l.throttle.mu.Unlock()
	var wait time.Duration
	for _, part := range parts {
		if ok {
			wait = max(wait, at.limit.untilTurn(part.View.Name))
		}
	}
	if wait > 0 {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return statestore.Refuse(parts, func(view statestore.View) error { return statestore.Ended(ctx, "write", view.Name) })
		}
	}
	return l.Location.Write(ctx, parts)
}
