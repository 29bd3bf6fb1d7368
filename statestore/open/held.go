package open

import (
	"io"
	"reflect"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
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

// open returns the store of a configuration, which says all that counts; begin opens
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
	h.close(ref)
	h.stores[ref] = opened[Config]{config, store}
	return store, nil
}

// keep closes the stores that are not among refs.
func (h *held[Config]) keep(refs []kratix.StateStoreReference) {
	for ref := range h.stores {
		if !slices.Contains(refs, ref) {
			h.close(ref)
		}
	}
}

// close returns up a store: its connections, and what is held of its contents.
func (h *held[Config]) close(ref kratix.StateStoreReference) {
	if closer, ok := statestore.ViewOf("", h.stores[ref].store).Store.(io.Closer); ok {
		closer.Close() //nolint:errcheck // nothing is written at the end
	}
	delete(h.stores, ref)
}
