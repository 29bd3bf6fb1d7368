package reconcile

import (
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// OpenStores opens the stores that the Destinations of a snapshot name, as a round does, and returns
// their references. It leaves out those that cannot be opened.
func OpenStores(snapshot source.Snapshot, opener statestore.Opener) []kratix.StateStoreReference {
	lookup := newLookup(snapshot)
	known := map[kratix.StateStoreReference]bool{}
	var opened []kratix.StateStoreReference
	for _, destination := range snapshot.Destinations {
		if destination.Spec.StateStoreRef == nil || known[*destination.Spec.StateStoreRef] {
			continue
		}
		ref := *destination.Spec.StateStoreRef
		known[ref] = true
		spec, secret := lookup.spec(ref)
		if _, err := opener.Open(ref, spec, lookup.secret(secret)); err == nil {
			opened = append(opened, ref)
		}
	}
	return opened
}
