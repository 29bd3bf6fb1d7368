package bucket

import "github.com/minio/minio-go/v7"

// ClientOf returns the S3 client of a store.
func ClientOf(s *Store) *minio.Client { return s.client.Client }
