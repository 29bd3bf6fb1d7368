package statestore

import "github.com/kratix-schedule/kratix-schedule/internal/kratix"

// Opener opens stores. Open may return the same store again.
type Opener interface {
	// Open opens the store for the object of a state store. spec is nil if there is no such object.
	// secret is nil if there is no Secret.
	Open(ref kratix.StateStoreReference, spec kratix.Object, secret *kratix.Secret) (Store, error)
}

// Keeper is an Opener that keeps stores open between rounds. Keep closes the stores that are not in
// refs.
type Keeper interface {
	Keep(refs []kratix.StateStoreReference)
}

// Keep calls the Keep method of opener, if opener is a Keeper.
func Keep(opener Opener, refs []kratix.StateStoreReference) {
	if keeper, ok := opener.(Keeper); ok {
		keeper.Keep(refs)
	}
}
