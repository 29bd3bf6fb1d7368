package bucket

import (
	"context"

	"github.com/minio/minio-go/v7"
)

// Probe checks whether the store can be listed and written. It begins an upload and aborts it. It
// does not check the permission to delete objects.
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
			return actionError{showing, object.Err}
		}
		break
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	key := s.prefix + markerName
	upload, err := s.client.NewMultipartUpload(ctx, s.bucket, key, minio.PutObjectOptions{ContentType: markerType})
	if err != nil {
		return actionError{putting, err}
	}
	if err := s.client.AbortMultipartUpload(ctx, s.bucket, key, upload); err != nil {
		return actionError{aborting, err}
	}
	return nil
}
