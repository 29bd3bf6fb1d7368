package reconcile

import (
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Keeper is an Opener that keeps stores open. After all stores of a round are
// opened, it closes those that are not among refs.
type Keeper interface {
	Keep(refs []kratix.StateStoreReference)
}

// Follower is an Opener whose stores depend on what there is. It is handed the
// input of a round before a store is opened.
type Follower interface {
	Follow(snapshot source.Snapshot)
}

// Opener opens the store that a Destination names. It is asked in every round
// and may give the same store again.
type Opener interface {
	// Open opens the store of a GitStateStore or BucketStateStore; spec is nil
	// when there is none of that name. A Secret that the spec names and that is
	// not there is nil too.
	Open(ref kratix.StateStoreReference, spec kratix.Object, secret *kratix.Secret) (statestore.Store, error)
}
