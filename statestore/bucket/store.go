// Package bucket turns the changes of a round into objects of an S3 bucket, and
// a bucket's objects into the files a store holds. It does I/O: it talks to
// Amazon S3 and to what speaks its protocol.
//
// A Read is one listing of the store's prefix. An object's sum is its ETag when
// that is the MD5 of the content; where it is not (encryption by a key service,
// multipart uploads) the sum stands in the object's metadata, or the object is
// read once, and the result is remembered with the ETag.
//
// A bucket has no transactions. What stands in for them:
//
//   - One object, the marker, is replaced by compare-and-swap before anything
//     else: its version is the store's Revision. Who loses has written nothing.
//   - The changes go out in steps, each acknowledged before the next begins:
//     records of new placements, files outside of resources/, files in
//     resources/, records that changed, and last the removals: in resources/,
//     elsewhere, of records. So a crash leaves more files than wanted, never
//     fewer, and no placement's files without its record.
//   - The marker names every file that is about to be put or removed, until all
//     of it is done. What a crash leaves is thus named by a record or by the
//     marker, and is given as State.Unfinished where it still is what the marker
//     says. The next round keeps what it wants of it and removes the rest.
//   - Puts of a writer that was overtaken may arrive late. What its marker named
//     is therefore kept in mind for one more Apply.
//
// A file that the server refuses, for its key or its content, leaves nothing half
// done: what the Apply has put until then is undone. What it replaced is read
// before, unless it is remembered.
//
// Removals come first only where a file takes the place of a directory or the
// other way round: some providers cannot hold both.
package bucket

import (
	"context"
	"io"

	"github.com/minio/minio-go/v7"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Store is one prefix of a bucket. It is safe for concurrent use; its reads and
// writes take turns.
type Store struct {
	name     string
	client   *minio.Core
	idle     func() // closes connections that are not in use
	bucket   string
	prefix   string // empty, or with a slash at its end
	parallel int
	tell     func(string)
	secret   string

	cache *cache
	known *sums

	turn chan struct{} // holds a token while an operation runs

	// What the last listing showed. It is out of date, and fresh is false, once
	// we have written.
	fresh   bool
	seen    listing
	marker  marker
	support support
}

var (
	_ statestore.Store  = (*Store)(nil)
	_ statestore.Prober = (*Store)(nil)
	_ io.Closer         = (*Store)(nil)
)

// Close closes the connections that are not in use. What is in hand ends.
func (s *Store) Close() error {
	s.idle()
	return nil
}

// Read lists the store. Files is shared with later States of an unchanged
// store: do not change it.
func (s *Store) Read(ctx context.Context) (statestore.State, error) {
	if err := s.begin(ctx); err != nil {
		return statestore.State{}, s.failure("read", err)
	}
	defer s.end()
	if err := s.look(ctx); err != nil {
		return statestore.State{}, s.failure("read", err)
	}
	return statestore.State{
		Revision: s.marker.revision, Files: s.seen.files, Contents: view{store: s, listing: s.seen},
		Unfinished: s.marker.journal.unfinished(s.seen.files),
	}, nil
}

// Apply swaps the marker, carries the changes out, and marks them as done. An
// error after the swap leaves a part of them done; the next Read shows which.
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
	if err := s.agree(ctx, changes.Base); err != nil {
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

// agree makes sure that the listing is of base. The swap of the marker proves
// it later.
func (s *Store) agree(ctx context.Context, base statestore.Revision) error {
	if !s.fresh || s.marker.revision != base {
		if err := s.look(ctx); err != nil {
			return err
		}
	}
	if s.marker.revision != base {
		return statestore.ErrStale
	}
	return nil
}

// begin waits for the store's turn, as long as ctx allows.
func (s *Store) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Store) end() { <-s.turn }

// key returns the object that holds a file.
func (s *Store) key(path tree.Path) string { return s.prefix + path.String() }
