package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/minio/minio-go/v7"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

var errGarbled = errors.New("the answer does not hold what was stored")

// view has the contents of one listing. If the old content of a changed file cannot be found,
// Content returns ErrStale.
type view struct {
	store *Store
	files statestore.Files
}

func (view) Digest(content []byte) statestore.Digest { return digestOf(content) }

// Content returns the content of a file. The caller must not modify it.
func (v view) Content(ctx context.Context, p tree.Path) ([]byte, error) {
	sum, ok := v.files.Digest(p)
	if !ok {
		return nil, fmt.Errorf("no file %s", p)
	}
	if content, ok := v.store.cache.get(sum); ok {
		return content, ctx.Err()
	}
	ahead := v.entriesBelow(p, sum)
	contents := make([][]byte, len(ahead))
	err := parallel(ctx, v.store.parallel, len(ahead), func(ctx context.Context, i int) error {
		content, err := v.store.fetch(ctx, ahead[i])
		contents[i] = content
		if i > 0 {
			return nil // the content was only prefetched
		}
		return err
	})
	if errors.Is(err, statestore.ErrStale) {
		if content, err := v.store.fetchVersion(ctx, p, sum); err == nil {
			return content, nil
		}
	}
	if err != nil {
		return nil, v.store.failure("read", err)
	}
	return contents[0], nil
}

// entriesBelow returns the entry at p, and small uncached entries that follow it in the same
// directory. A caller usually reads them next.
func (v view) entriesBelow(p tree.Path, sum statestore.Digest) []entry {
	const most, largest = 128, 64 << 10
	var listed []entry
	if newest := v.store.newest.Load(); newest != nil {
		listed = newest.entries
	}
	ahead := []entry{{path: p, digest: sum}}
	at, there := slices.BinarySearchFunc(listed, p, func(e entry, p tree.Path) int { return compareKeys(e.path, p) })
	if !there {
		return ahead
	}
	rest := listed[at+1:]
	for _, e := range rest[:min(len(rest), most-1)] {
		if e.path.Dir() != p.Dir() {
			break
		}
		if _, held := v.store.cache.get(e.digest); !held && e.size <= largest {
			ahead = append(ahead, e)
		}
	}
	return ahead
}

func (s *Store) fetch(ctx context.Context, e entry) ([]byte, error) {
	var content []byte
	err := retryTruncated(ctx, func() error {
		var options minio.GetObjectOptions
		if err := options.SetMatchETag(s.known.etag(e.path, e.digest)); err != nil {
			return err
		}
		body, _, _, err := s.client.GetObject(ctx, s.bucket, s.key(e.path), options)
		if isPrecondition(err) || isMissing(err) {
			return fmt.Errorf("%w: %s is not what it was when the store was listed", statestore.ErrStale, e.path)
		}
		if err != nil {
			return actionError{getting, err}
		}
		defer body.Close()
		if content, err = io.ReadAll(body); err != nil {
			return actionError{getting, err}
		}
		if digestOf(content) != e.digest {
			return actionError{getting, errGarbled}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.cache.put(e.digest, content)
	return content, nil
}
