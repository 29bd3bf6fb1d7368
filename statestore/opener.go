package statestore

import "github.com/kratix-schedule/kratix-schedule/internal/kratix"

// Opener opens the store that a Destination names. Open is called in every round and may
// return the same store again.
type Opener interface {
	// Open opens the store of a GitStateStore or BucketStateStore. spec is nil if no object
	// of that name exists; secret is nil if the Secret that the spec names does not exist.
	Open(ref kratix.StateStoreReference, spec kratix.Object, secret *kratix.Secret) (Store, error)
}

// Keeper is an Opener that keeps stores open between rounds. Keep is called after all
// stores of a round are opened, and closes the stores that are not among refs.
type Keeper interface {
	Keep(refs []kratix.StateStoreReference)
}

// Keep closes the stores of opener that are not among refs, if opener is a Keeper.
func Keep(opener Opener, refs []kratix.StateStoreReference) {
	if keeper, ok := opener.(Keeper); ok {
		keeper.Keep(refs)
	}
}
