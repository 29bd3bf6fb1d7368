package open

import (
	"io"
	"reflect"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// openStores are the open stores by reference. The zero value is ready to use.
type openStores[Config any] struct {
	stores map[kratix.StateStoreReference]opened[Config]
}

type opened[Config any] struct {
	config Config
	store  statestore.Store
}

// open returns the open store for a reference if its configuration is equal. Otherwise it calls
// begin, and closes the former store.
func (h *openStores[Config]) open(ref kratix.StateStoreReference, config Config, begin func() (statestore.Store, error)) (statestore.Store, error) {
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
	h.close(ref)
	h.stores[ref] = opened[Config]{config, store}
	return store, nil
}

func (h *openStores[Config]) keep(refs []kratix.StateStoreReference) {
	for ref := range h.stores {
		if !slices.Contains(refs, ref) {
			h.close(ref)
		}
	}
}

func (h *openStores[Config]) close(ref kratix.StateStoreReference) {
	if closer, ok := statestore.ViewOf("", h.stores[ref].store).Store.(io.Closer); ok {
		closer.Close() //nolint:errcheck // nothing is written when a store closes
	}
	delete(h.stores, ref)
}
