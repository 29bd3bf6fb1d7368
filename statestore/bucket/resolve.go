package bucket

import (
	"context"
	"crypto/md5" //nolint:gosec // see digestcache.go
	"io"
	"slices"

	"github.com/minio/minio-go/v7"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// resolve determines the digests of the unresolved entries. It deletes entries whose objects no
// longer exist.
func (s *Store) resolve(ctx context.Context, found *found) error {
	gone := make([]bool, len(found.unresolved))
	err := parallel(ctx, s.parallel, len(found.unresolved), func(ctx context.Context, i int) error {
		e := &found.entries[found.unresolved[i]]
		learnt, err := s.inspect(ctx, e.path)
		if isMissing(err) {
			gone[i] = true
			return nil
		}
		if err == nil {
			e.digest = learnt.digest
			s.known.add(e.path, learnt.etag, learnt.digest)
		}
		return err
	})
	if err != nil {
		return err
	}
	for i := range slices.Backward(gone) {
		if gone[i] {
			at := found.unresolved[i]
			found.entries = slices.Delete(found.entries, at, at+1)
		}
	}
	return nil
}

// inspect returns the digest in an object's metadata, or else the digest of the object's content.
func (s *Store) inspect(ctx context.Context, path tree.Path) (version, error) {
	info, err := s.client.StatObject(ctx, s.bucket, s.key(path), minio.StatObjectOptions{})
	if err != nil {
		return version{}, actionError{getting, err}
	}
	if sum, ok := parseSum(info.UserMetadata[digestKey]); ok {
		return version{info.ETag, sum}, nil
	}
	var learnt version
	err = retryTruncated(ctx, func() error {
		body, info, _, err := s.client.GetObject(ctx, s.bucket, s.key(path), minio.GetObjectOptions{})
		if err != nil {
			return actionError{getting, err}
		}
		defer body.Close()
		hash := md5.New() //nolint:gosec // see digestcache.go
		if _, err := io.Copy(hash, body); err != nil {
			return actionError{getting, err}
		}
		learnt = version{info.ETag, digestFrom([md5.Size]byte(hash.Sum(nil)))}
		return nil
	})
	return learnt, err
}
