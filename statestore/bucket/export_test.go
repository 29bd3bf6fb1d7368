package bucket

import "github.com/minio/minio-go/v7"

// ClientOf returns a store's client.
func ClientOf(s *Store) *minio.Client { return s.client.Client }
