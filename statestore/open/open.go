// Package open opens state stores with their Secrets. It sends no requests, but the opened stores
// do.
package open

import (
	"fmt"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/oci"
)

// Stores opens stores. It returns the same store for a reference while the configuration is
// unchanged. It is not safe for concurrent use.
type Stores struct {
	// Commits has settings for the commits of git stores.
	Commits Commits
	// CreateBranch means that the first write creates a missing branch from the default branch.
	// Without it, a missing branch is an error, unless the repository has no branches.
	CreateBranch bool
	// Now returns the time, such as the date of a commit. It must not be nil.
	Now func() time.Time
	// RegistryTokens is the directory with the token files of registries, or empty.
	RegistryTokens string
	// Notify is called with notices about commits, buckets and registries. It may be nil.
	Notify func(message string)

	repositories openStores[git.Config]
	pool         git.Pool
	buckets      openStores[bucket.Config]
	registries   openStores[oci.Config]
	clients      oci.Pool
}

var (
	_ statestore.Opener = (*Stores)(nil)
	_ statestore.Keeper = (*Stores)(nil)
)

// Open returns the store for the object of a state store. Its errors are of type
// *statestore.Error.
func (s *Stores) Open(ref kratix.StateStoreReference, spec kratix.Object, secret *kratix.Secret) (statestore.Store, error) {
	switch store := spec.(type) {
	case *kratix.GitStateStore:
		return s.openGit(ref, store, secret)
	case *kratix.BucketStateStore:
		return s.openBucket(ref, store, secret)
	case *kratix.OCIStateStore:
		return s.openOCI(ref, store, secret)
	}
	return nil, Misconfigured(ref, "", "it is not in the input", "Add the object, or correct the reference.")
}

// Keep closes the open stores that are not in refs.
func (s *Stores) Keep(refs []kratix.StateStoreReference) {
	s.repositories.keep(refs)
	s.buckets.keep(refs)
	s.registries.keep(refs)
}

// Misconfigured returns the error about a store that cannot be opened, with the reason and the fix.
// field is the field of the object to change, or empty.
func Misconfigured(ref kratix.StateStoreReference, field, why, fix string) error {
	return &statestore.Error{
		Op: "open", Store: ref.String(), Err: fmt.Errorf("%w: %s", statestore.ErrMisconfigured, why), Fix: fix,
		Class: statestore.Setting, Field: field,
	}
}
