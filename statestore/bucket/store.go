// Package bucket implements a state store in a prefix of an S3 bucket. Each file is one object. It
// does I/O: it connects to Amazon S3, and to servers with the same protocol.
//
// An object's digest is its ETag if that is the MD5 of the content. Otherwise the digest is in the
// object's metadata, or the object is read.
//
// A bucket has no transactions. The store replaces them as follows:
//
//   - Before any other write, one object, the marker, is replaced by compare-and-swap, if
//     the provider supports that. Its version is the revision of the store.
//   - The changes are written in steps. The server must have acknowledged each step
//     before the next begins. Files that prevent others from being stored are removed
//     first. Then come new records, other new and changed files, changed records, and
//     the other removals.
//   - The marker lists the files that an Apply writes or removes, except records. After
//     a crash, Read returns such files in State.Unfinished.
//
// If the server rejects a file because of its key or its content, Apply undoes the changes that it
// has made.
package bucket

import (
	"context"
	"io"
	"sync/atomic"

	"github.com/minio/minio-go/v7"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Store is one prefix of a bucket. It is safe for concurrent use.
type Store struct {
	name     string
	client   *minio.Core
	idle     func() // closes idle connections
	bucket   string
	prefix   string // empty, or ends in a slash
	parallel int
	notify   func(string)
	secret   string

	cache *cache
	known *digestCache

	token chan struct{} // has one element while an operation is in progress

	// seen is the last listing. It is outdated unless fresh is set.
	fresh   bool
	seen    listing
	marker  marker
	support support
	// newest is the last listing, for readers without the token.
	newest atomic.Pointer[listing]
}

var (
	_ statestore.Store  = (*Store)(nil)
	_ statestore.Prober = (*Store)(nil)
	_ io.Closer         = (*Store)(nil)
)

// Close closes the idle connections.
func (s *Store) Close() error {
	s.idle()
	return nil
}

// Read returns the newest state.
func (s *Store) Read(ctx context.Context) (statestore.State, error) {
	if err := s.begin(ctx); err != nil {
		return statestore.State{}, s.failure("read", err)
	}
	defer s.end()
	if err := s.refresh(ctx); err != nil {
		return statestore.State{}, s.failure("read", err)
	}
	return statestore.State{
		Revision: s.marker.revision, Files: s.seen.files, Contents: view{store: s, files: s.seen.files}, Artifact: s.artifacts(),
		Unfinished: s.marker.journal.unfinished(s.seen.files),
	}, nil
}

// Apply makes the changes. If it returns an error, some changes may have been made.
func (s *Store) Apply(ctx context.Context, changes statestore.ChangeSet) (statestore.Revision, error) {
	if changes.Empty() {
		return changes.Base, nil
	}
	revision, err := s.apply(ctx, changes)
	if err != nil {
		return revision, s.failure("write", err)
	}
	return revision, nil
}

func (s *Store) apply(ctx context.Context, changes statestore.ChangeSet) (statestore.Revision, error) {
	if err := s.begin(ctx); err != nil {
		return "", err
	}
	defer s.end()
	if err := s.checkBase(ctx, changes.Base); err != nil {
		return "", err
	}
	steps, err := plan(s.seen, len(s.prefix), changes)
	if err != nil {
		return "", err
	}
	if len(steps) == 0 {
		return changes.Base, nil
	}
	begun := s.marker.journal.begin(s.seen.files, changes)
	if err := s.swap(ctx, begun); err != nil {
		return "", err
	}
	s.fresh = false
	done := newProgress()
	if err := s.carryOut(ctx, steps, done); err != nil {
		if !isRefused(err) {
			return "", err
		}
		return s.undo(ctx, done, begun, err)
	}
	if begun.open {
		err = s.swap(ctx, begun.done())
	}
	return s.marker.revision, err
}

// checkBase returns ErrStale if the store is not at revision base. It lists the bucket unless the
// last listing is of base.
func (s *Store) checkBase(ctx context.Context, base statestore.Revision) error {
	if !s.fresh || s.marker.revision != base {
		if err := s.refresh(ctx); err != nil {
			return err
		}
	}
	if s.marker.revision != base {
		return statestore.ErrStale
	}
	return nil
}

// begin waits until no other operation is in progress. It returns the error of ctx if ctx ends
// first.
func (s *Store) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.token <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Store) end() { <-s.token }

func (s *Store) key(path tree.Path) string { return s.prefix + path.String() }
