package bucket

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/kratix-schedule/kratix-schedule/internal/transport"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

const pageSize = 1000

// listing is the content of the bucket below the store's prefix. It must not be modified once a
// State refers to it.
type listing struct {
	entries []entry // sorted by key
	files   statestore.Files
	// others are the objects whose keys are not valid paths, sorted by key. There are at most
	// maxOthers+1.
	others []object
}

type object struct{ key, etag string }

type entry struct {
	path   tree.Path
	size   int64
	digest statestore.Digest
}

// compareKeys compares paths as buckets sort keys: byte by byte.
func compareKeys(a, b tree.Path) int { return strings.Compare(a.String(), b.String()) }

// refresh lists the bucket. If the marker has changed meanwhile, refresh may list it again.
func (s *Store) refresh(ctx context.Context) error {
	const attempts = 5
	moving := s.marker.etag
	for range attempts {
		opaque := s.known.suspected()
		found, err := s.list(ctx)
		if err != nil {
			return err
		}
		late := found.markerAt >= pageSize && found.marker != moving
		moving = found.marker
		if late {
			continue
		}
		next, err := s.recognise(ctx, found.marker)
		if err != nil {
			return err
		}
		if next.etag != found.marker || s.known.suspected() != opaque {
			continue
		}
		if err := s.resolve(ctx, &found); err != nil {
			return err
		}
		// Some providers list keys in another order.
		if !slices.IsSortedFunc(found.entries, byKey) {
			slices.SortFunc(found.entries, byKey)
		}
		slices.SortFunc(found.others, func(a, b object) int { return strings.Compare(a.key, b.key) })
		s.marker, s.fresh = next, true
		s.adopt(found)
		return nil
	}
	return statestore.ErrStale
}

func (s *Store) adopt(found found) {
	same := s.seen.entries != nil && slices.Equal(s.seen.entries, found.entries)
	if same && slices.Equal(s.seen.others, found.others) {
		return
	}
	files := s.seen.files
	if !same {
		files = files.With(differences(s.seen.entries, found.entries))
	}
	seen := listing{entries: found.entries, files: files, others: found.others}
	s.seen = seen
	s.newest.Store(&seen)
	s.known.keep(files)
}

func differences(was, is []entry) []statestore.FileChange {
	changes := make([]statestore.FileChange, 0, max(0, len(is)-len(was)))
	for len(was)+len(is) > 0 {
		switch {
		case len(is) == 0 || len(was) > 0 && byKey(was[0], is[0]) < 0:
			changes = append(changes, statestore.FileChange{Path: was[0].path, Gone: true})
			was = was[1:]
		case len(was) == 0 || byKey(was[0], is[0]) > 0:
			changes = append(changes, statestore.FileChange{Path: is[0].path, Digest: is[0].digest})
			is = is[1:]
		default:
			if was[0].digest != is[0].digest {
				changes = append(changes, statestore.FileChange{Path: is[0].path, Digest: is[0].digest})
			}
			was, is = was[1:], is[1:]
		}
	}
	return changes
}

type found struct {
	entries []entry
	// unresolved are the indices of the entries whose ETags do not determine the digests.
	unresolved []int
	others     []object
	marker     string // the marker's ETag, or empty without a marker
	markerAt   int    // number of keys that were listed before the marker
}

// list reads all pages. If a response was truncated, list continues after the last key.
func (s *Store) list(ctx context.Context) (found, error) {
	next := found{entries: make([]entry, 0, len(s.seen.entries))}
	reuse := paths{known: s.seen.entries}
	count, last := 0, ""
	err := retryTruncated(ctx, func() error {
		noOwner := false
		options := minio.ListObjectsOptions{Prefix: s.prefix, Recursive: true, FetchOwner: &noOwner, StartAfter: last}
		for object := range s.client.ListObjectsIter(ctx, s.bucket, options) {
			if object.Err != nil {
				return actionError{showing, object.Err}
			}
			s.take(&next, &reuse, &object, count)
			count, last = count+1, object.Key
		}
		return ctx.Err()
	})
	return next, err
}

func byKey(a, b entry) int { return compareKeys(a.path, b.path) }

func (s *Store) take(next *found, reuse *paths, info *minio.ObjectInfo, count int) {
	name := strings.TrimPrefix(info.Key, s.prefix)
	if name == markerName {
		next.marker, next.markerAt = info.ETag, count
		return
	}
	path, ok := reuse.path(name)
	if !ok {
		if len(next.others) <= maxOthers {
			next.others = append(next.others, object{strings.Clone(name), info.ETag})
		}
		return
	}
	sum, ok := s.known.of(path, info.ETag)
	if !ok {
		next.unresolved = append(next.unresolved, len(next.entries))
	}
	next.entries = append(next.entries, entry{path: path, size: info.Size, digest: sum})
}

// paths converts keys to paths. It reuses paths of the last listing to save memory.
type paths struct{ known []entry }

func (p *paths) path(name string) (tree.Path, bool) {
	for len(p.known) > 0 && p.known[0].path.String() < name {
		p.known = p.known[1:]
	}
	if len(p.known) > 0 && p.known[0].path.String() == name {
		return p.known[0].path, true
	}
	path, err := tree.ParsePath(strings.Clone(name))
	return path, err == nil && path.String() == name
}

// retryTruncated repeats do if the response was truncated.
func retryTruncated(ctx context.Context, do func() error) error {
	const attempts = 4
	var err error
	for attempt := range attempts {
		err = do()
		if err == nil || !cutOff(err) || ctx.Err() != nil {
			return err
		}
		select {
		case <-time.After(100 * time.Millisecond << attempt):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return err
}

// cutOff reports whether a response ended early or was garbled.
func cutOff(err error) bool {
	var (
		syntax *xml.SyntaxError
		quiet  transport.SilenceError
		sent   *url.Error
	)
	return !errors.As(err, &sent) && (errors.As(err, &syntax) || errors.As(err, &quiet) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, errGarbled))
}
