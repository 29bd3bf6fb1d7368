// Package bucket implements a state store in a prefix of an S3 bucket. Each file is one object. It
// does I/O: it connects to Amazon S3, and to servers with the same protocol.
//
// A Read lists the store's prefix. An object's digest is its ETag if that is the MD5 of the
// content. With encryption by a key service and with multipart uploads it is not. Then the digest
// is in the object's metadata, or the object is read once. The digest is cached with the ETag.
//
// A bucket has no transactions. The store replaces them as follows:
//
//   - One object, the marker, is replaced by compare-and-swap before any other
//     write, if the provider supports that. Its version is the revision of the
//     store. If another writer wins the swap, this store writes nothing else.
//   - The changes are written in steps. The server must have acknowledged each step
//     before the next begins. The order is: records of new placements, files outside
//     of resources/, files in resources/, records that changed, and then the
//     removals: in resources/, elsewhere, and of records. A record thus exists
//     before its files and until they are removed.
//   - The marker lists the files that will be written or removed, except records,
//     until all changes are made. After a crash, Read returns the listed files in
//     State.Unfinished if they still have the digests that are in the marker. The
//     next round keeps the files that are wanted and removes the others.
//   - If another writer replaces the marker during an Apply, requests of the first
//     writer may arrive late. The files in the first writer's marker are therefore
//     listed in the markers of one more Apply.
//
// If the server rejects a file because of its key or its content, Apply undoes the changes that it
// has made. For this, it first reads the contents that it will replace, unless they are cached.
//
// Removals come first only where a file replaces a directory, or a directory a file, because some
// providers cannot store both.
package bucket

import (
	"context"
	"io"
	"sync/atomic"

	"github.com/minio/minio-go/v7"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Store is one prefix of a bucket. It is safe for concurrent use. Its operations run one at a time.
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

	// The last listing. After a write, it is outdated, and fresh is false.
	fresh   bool
	seen    listing
	marker  marker
	support support
	// newest is the last listing, for readers that do not hold the token.
	newest atomic.Pointer[listing]
}

var (
	_ statestore.Store  = (*Store)(nil)
	_ statestore.Prober = (*Store)(nil)
	_ io.Closer         = (*Store)(nil)
)

// Close closes the idle connections. An operation in progress continues.
func (s *Store) Close() error {
	s.idle()
	return nil
}

// Read lists the store. As long as the store is unchanged, all States share their Files.
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

// Apply replaces the marker, makes the changes, and replaces the marker again if files other than
// records have changed. If Apply returns an error, some changes may have been made; the next Read
// shows which.
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

// checkBase returns ErrStale if the store is at another revision than base. It lists the bucket,
// unless the last listing is of base. The swap of the marker then checks the revision on the
// server.
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
