// Package buckettest starts real S3 servers for tests. It does I/O.
package buckettest

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/kratix-schedule/kratix-schedule/internal/servertest"
)

// AccessKey and SecretKey are the credentials of the owner of all buckets.
const (
	AccessKey = "owner-key"
	SecretKey = "owner-s3cret-key" //nolint:gosec // of a server that runs as long as a test
)

// Server is a running S3 server.
type Server struct {
	// Endpoint is the server's host and port.
	Endpoint string
	// Client is a client with the owner's credentials.
	Client *minio.Client

	buckets *atomic.Int64
}

// MinIO starts a MinIO server with additional environment variables, such as
// "MINIO_SITE_REGION=x".
func MinIO(t testing.TB, environment ...string) *Server {
	t.Helper()
	return start(t, &servertest.Program{
		Dir: "s3", Name: "minio", Health: "/minio/health/live",
		Environment: append([]string{
			"MINIO_ROOT_USER=" + AccessKey, "MINIO_ROOT_PASSWORD=" + SecretKey,
			"MINIO_UPDATE=off", "MINIO_BROWSER=off", "MINIO_CI_CD=1",
		}, environment...),
		Arguments: func(address, dir string) []string {
			return []string{"server", "--quiet", "--address", address, filepath.Join(dir, "data")}
		},
	})
}

// Versitygw starts a versitygw server on a directory.
func Versitygw(t testing.TB) *Server {
	t.Helper()
	return start(t, &servertest.Program{
		Dir: "s3", Name: "versitygw", Health: "/health",
		Environment: []string{"ROOT_ACCESS_KEY=" + AccessKey, "ROOT_SECRET_KEY=" + SecretKey},
		Arguments: func(address, dir string) []string {
			return []string{"--port", address, "--quiet", "--health", "/health", "posix", filepath.Join(dir, "data")}
		},
	})
}

func start(t testing.TB, p *servertest.Program) *Server {
	t.Helper()
	address := servertest.Start(t, p)
	return &Server{Endpoint: address, Client: Client(t, address, credentials.NewStaticV4(AccessKey, SecretKey, "")), buckets: &atomic.Int64{}}
}

// Client returns an S3 client with the given credentials.
func Client(t testing.TB, endpoint string, creds *credentials.Credentials) *minio.Client {
	t.Helper()
	client, err := minio.New(endpoint, &minio.Options{Creds: creds})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// Bucket creates a new bucket and returns its name.
func (s *Server) Bucket(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("bucket-%d", s.buckets.Add(1))
	if err := s.Client.MakeBucket(t.Context(), name, minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	return name
}
