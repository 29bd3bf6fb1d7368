package statestore

import "github.com/kratix-schedule/kratix-schedule/internal/kratix"

// Opener opens the store that a Destination names. It is asked in every round
// and may return the same store again.
type Opener interface {
	// Open opens the store of a GitStateStore or BucketStateStore; spec is nil
	// when there is none of that name. A Secret that the spec names and that is
	// not there is nil too.
	Open(ref kratix.StateStoreReference, spec kratix.Object, secret *kratix.Secret) (Store, error)
}

// Keeper is an Opener that keeps stores open. After all stores of a round are
// opened, it closes those that are not among refs.
type Keeper interface {
	Keep(refs []kratix.StateStoreReference)
}

// Keep has an Opener close the stores that are not among refs, if it keeps any.
func Keep(opener Opener, refs []kratix.StateStoreReference) {
	if keeper, ok := opener.(Keeper); ok {
		keeper.Keep(refs)
	}
}
