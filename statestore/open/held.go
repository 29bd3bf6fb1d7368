package open

import (
	"reflect"

	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// held are stores that stay open while what they were opened by stays the same.
// Its zero value is ready for use.
type held[Config any] struct {
	stores map[kratix.StateStoreReference]opened[Config]
}

type opened[Config any] struct {
	config Config
	store  statestore.Store
}

// open gives the store of a configuration, which says all that counts; begin opens
// it.
func (h *held[Config]) open(ref kratix.StateStoreReference, config Config, begin func() (statestore.Store, error)) (statestore.Store, error) {
	if was, ok := h.stores[ref]; ok && reflect.DeepEqual(was.config, config) {
		return was.store, nil
	}
	store, err := begin()
	if err != nil {
		return nil, err
	}
	if h.stores == nil {
		h.stores = map[kratix.StateStoreReference]opened[Config]{}
	}
	h.stores[ref] = opened[Config]{config, store}
	return store, nil
}
