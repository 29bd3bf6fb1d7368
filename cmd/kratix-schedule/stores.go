package main

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
)

// realStores opens what the objects describe, and keeps it open while the
// description stays the same.
type realStores struct {
	open    map[kratix.StateStoreReference]openStore
	buckets bucketStores
}

type openStore struct {
	config git.Config
	store  statestore.Store
}

var _ reconcile.Opener = (*realStores)(nil)

func newRealStores() *realStores {
	return &realStores{open: map[kratix.StateStoreReference]openStore{}}
}

// Open gives a store for a GitStateStore or a BucketStateStore.
func (s *realStores) Open(ref kratix.StateStoreReference, spec kratix.Object, secret *kratix.Secret) (statestore.Store, error) {
	if store, ok := spec.(*kratix.BucketStateStore); ok {
		return s.buckets.Open(ref, store, secret)
	}
	store, ok := spec.(*kratix.GitStateStore)
	if !ok {
		return nil, misconfigured(ref, "only a GitStateStore can be written to", "Use a GitStateStore.")
	}
	config, err := gitConfig(ref, store, secret)
	if err != nil {
		return nil, err
	}
	if held, ok := s.open[ref]; ok && sameConfig(held.config, config) {
		return held.store, nil
	}
	opened, err := git.Open(config)
	if err != nil {
		return nil, err
	}
	s.open[ref] = openStore{config: config, store: opened}
	return opened, nil
}

func sameConfig(a, b git.Config) bool {
	a.Now, b.Now = nil, nil
	return reflect.DeepEqual(a, b)
}

// gitConfig translates a GitStateStore and its Secret.
func gitConfig(ref kratix.StateStoreReference, store *kratix.GitStateStore, secret *kratix.Secret) (git.Config, error) {
	spec := store.Spec
	config := git.Config{
		Name: ref.String(), URL: spec.URL, Branch: spec.Branch, Path: spec.Path, Insecure: spec.Insecure,
		Author: git.Author{Name: spec.GitAuthor.Name, Email: spec.GitAuthor.Email}, Now: time.Now,
	}
	if spec.AuthMethod != "" && spec.AuthMethod != "basicAuth" {
		return config, misconfigured(ref, fmt.Sprintf("authMethod %q is not supported", spec.AuthMethod), "Use authMethod basicAuth.")
	}
	if spec.SecretRef == nil || spec.SecretRef.Name == "" {
		return config, nil
	}
	if secret == nil {
		return config, misconfigured(ref, fmt.Sprintf("it names Secret %s, which is not in the input", spec.SecretRef.Key()),
			"Add the Secret, or correct spec.secretRef.")
	}
	username, _ := secret.Value("username")
	password, ok := secret.Value("password")
	if !ok {
		return config, misconfigured(ref, fmt.Sprintf("Secret %s has no key password", kratix.KeyOf(secret)),
			"Give the Secret the keys username and password.")
	}
	config.Auth = git.Auth{Username: strings.TrimSpace(username), Password: strings.TrimSpace(password)}
	if ca, ok := secret.Value("ca.crt"); ok {
		config.CABundle = []byte(ca)
	}
	return config, nil
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
