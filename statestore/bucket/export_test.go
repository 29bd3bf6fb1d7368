package bucket

import "github.com/minio/minio-go/v7"

func ClientOf(s *Store) *minio.Client { return s.client.Client }
