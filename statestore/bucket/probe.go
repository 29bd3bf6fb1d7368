package bucket

import (
	"context"

	"github.com/minio/minio-go/v7"
)

// Probe finds out whether the store can be listed and written to, and leaves
// nothing behind: an upload is begun and called off. Whether objects may be
// deleted shows only when one is.
func (s *Store) Probe(ctx context.Context) error {
	if err := s.probe(ctx); err != nil {
		return s.failure("probe", err)
	}
	return nil
}

func (s *Store) probe(ctx context.Context) error {
	noOwner := false
	options := minio.ListObjectsOptions{Prefix: s.prefix, Recursive: true, FetchOwner: &noOwner, MaxKeys: 1}
	for object := range s.client.ListObjectsIter(ctx, s.bucket, options) {
		if object.Err != nil {
			return doing{showing, object.Err}
		}
		break
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	key := s.prefix + markerName
	upload, err := s.client.NewMultipartUpload(ctx, s.bucket, key, minio.PutObjectOptions{ContentType: markerType})
	if err != nil {
		return doing{putting, err}
	}
	if err := s.client.AbortMultipartUpload(ctx, s.bucket, key, upload); err != nil {
		return doing{aborting, err}
	}
	return nil
}
