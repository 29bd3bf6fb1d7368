// Package open opens the stores that GitStateStores, BucketStateStores and their
// Secrets describe. Nothing is asked of a server before a store is read or
// written.
package open

import (
	"fmt"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
)

// Stores opens what the objects describe, and keeps it open while the
// description stays the same. It is for one goroutine.
type Stores struct {
	// Commits is what commits look like.
	Commits Commits
	// CreateBranch lets the first write make a branch in a repository that has
	// others. Without it a git store whose branch does not exist is misconfigured.
	CreateBranch bool
	// Now dates the commits. It is required.
	Now func() time.Time
	// Tell is reported, once, what a user should know of a bucket's provider; nil is
	// not called.
	Tell func(message string)

	repositories held[git.Config]
	pool         git.Pool
	buckets      held[bucket.Config]
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

// Misconfigured is the error of a store whose description cannot be followed: the
// field of its object to change, if one is at fault, why, and what to do about it.
func Misconfigured(ref kratix.StateStoreReference, field, why, hint string) error {
	return &statestore.Error{
		Op: "open", Store: ref.String(), Err: fmt.Errorf("%w: %s", statestore.ErrMisconfigured, why), Hint: hint,
		Class: statestore.Setting, Field: field,
	}
}
