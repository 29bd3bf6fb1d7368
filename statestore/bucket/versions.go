package bucket

import (
	"context"
	"fmt"
	"io"

	"github.com/minio/minio-go/v7"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

const maxVersions = 1000

// fetchVersion reads the version of a file with the given digest. It returns ErrStale if it does
// not find the version.
func (s *Store) fetchVersion(ctx context.Context, path tree.Path, sum statestore.Digest) ([]byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	key, seen := s.key(path), 0
	for info := range s.client.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{Prefix: key, WithVersions: true, Recursive: true}) {
		if info.Err != nil {
			return nil, actionError{showing, info.Err}
		}
		if seen++; seen > maxVersions || info.Key > key {
			break
		}
		if digest, plain := parseSum(info.ETag); info.Key != key || info.IsDeleteMarker || !plain || digest != sum {
			continue
		}
		return s.readVersion(ctx, key, info.VersionID, sum)
	}
	return nil, fmt.Errorf("%w: no version of %s is what it was", statestore.ErrStale, path)
}

func (s *Store) readVersion(ctx context.Context, key, version string, sum statestore.Digest) ([]byte, error) {
	var content []byte
	err := retryTruncated(ctx, func() error {
		body, _, _, err := s.client.GetObject(ctx, s.bucket, key, minio.GetObjectOptions{VersionID: version})
		if err != nil {
			return actionError{getting, err}
		}
		defer body.Close()
		if content, err = io.ReadAll(body); err != nil {
			return actionError{getting, err}
		}
		if digestOf(content) != sum {
			return actionError{getting, errGarbled}
		}
		return nil
	})
	if err == nil {
		s.cache.put(sum, content)
	}
	return content, err
}
