package bucket

import "github.com/minio/minio-go/v7"

// ClientOf returns a store's client to tests.
func ClientOf(s *Store) *minio.Client { return s.client.Client }
