package main

import (
	"fmt"
	"reflect"

	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
)

// realStores opens what the objects describe, and keeps it open while the
// description stays the same.
type realStores struct {
	commits commits
	open    map[kratix.StateStoreReference]openStore
	pool    git.Pool
	buckets bucketStores
}

type openStore struct {
	config git.Config
	store  statestore.Store
}

var _ reconcile.Opener = (*realStores)(nil)

func newRealStores(commits commits) *realStores {
	return &realStores{commits: commits, open: map[kratix.StateStoreReference]openStore{}}
}

// Open gives a store for a GitStateStore or a BucketStateStore.
func (s *realStores) Open(ref kratix.StateStoreReference, spec kratix.Object, secret *kratix.Secret) (statestore.Store, error) {
	switch store := spec.(type) {
	case *kratix.GitStateStore:
		return s.openGit(ref, store, secret)
	case *kratix.BucketStateStore:
		return s.buckets.Open(ref, store, secret)
	}
	return nil, misconfigured(ref, "it is not in the input", "Add the object, or correct the reference.")
}

func sameConfig(a, b git.Config) bool {
	a.Now, b.Now = nil, nil
	return reflect.DeepEqual(a, b)
}

func misconfigured(ref kratix.StateStoreReference, why, hint string) error {
	return &statestore.Error{Op: "open", Store: ref.String(), Err: fmt.Errorf("%w: %s", statestore.ErrMisconfigured, why), Hint: hint}
}

// memoryStores gives an empty store for every name: for what is looked at
// without any store.
type memoryStores struct{}

var _ reconcile.Opener = memoryStores{}

// Open makes an empty store.
func (memoryStores) Open(ref kratix.StateStoreReference, _ kratix.Object, _ *kratix.Secret) (statestore.Store, error) {
	return memory.New(ref.String()), nil
}
