package open

import (
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
)

// InMemory opens empty stores in memory.
type InMemory struct{}

var _ statestore.Opener = InMemory{}

// Open returns an empty store.
func (InMemory) Open(ref kratix.StateStoreReference, _ kratix.Object, _ *kratix.Secret) (statestore.Store, error) {
	return memory.New(ref.String()), nil
}
