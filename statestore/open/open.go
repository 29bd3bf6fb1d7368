// Package open turns a GitStateStore or a BucketStateStore and its Secret into a [statestore.Store].
// Opening a store sends no request to a server; reading and writing do.
package open

import (
	"fmt"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
)

// Stores opens the stores that objects describe and keeps each open while its description
// stays the same. It is not safe for concurrent use.
type Stores struct {
	// Commits configures the commits of git stores.
	Commits Commits
	// CreateBranch lets the first write create the branch in a repository that has other
	// branches. Without it a git store whose branch does not exist is misconfigured.
	CreateBranch bool
	// Now returns the date of commits. It is required.
	Now func() time.Time
	// Notify is called once for each notice about a bucket's provider, or about a template or
	// annotation that a commit cannot use. It may be nil.
	Notify func(message string)

	repositories openStores[git.Config]
	pool         git.Pool
	buckets      openStores[bucket.Config]
}

var (
	_ statestore.Opener = (*Stores)(nil)
	_ statestore.Keeper = (*Stores)(nil)
)

// Open returns a store for a GitStateStore or a BucketStateStore. The error is a
// *statestore.Error.
func (s *Stores) Open(ref kratix.StateStoreReference, spec kratix.Object, secret *kratix.Secret) (statestore.Store, error) {
	switch store := spec.(type) {
	case *kratix.GitStateStore:
		return s.openGit(ref, store, secret)
	case *kratix.BucketStateStore:
		return s.openBucket(ref, store, secret)
	}
	return nil, Misconfigured(ref, "", "it is not in the input", "Add the object, or correct the reference.")
}

// Keep closes the stores that are open and not among refs.
func (s *Stores) Keep(refs []kratix.StateStoreReference) {
	s.repositories.keep(refs)
	s.buckets.keep(refs)
}

// Misconfigured returns the error of a store whose description is invalid, with the reason and the
// fix. field is the field of the object to change; it is empty if no field is the cause.
func Misconfigured(ref kratix.StateStoreReference, field, why, fix string) error {
	return &statestore.Error{
		Op: "open", Store: ref.String(), Err: fmt.Errorf("%w: %s", statestore.ErrMisconfigured, why), Fix: fix,
		Class: statestore.Setting, Field: field,
	}
}
