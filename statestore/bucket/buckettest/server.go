// Package buckettest starts real S3 servers for tests, and a proxy in front of them that can inject
// faults. It does I/O.
package buckettest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
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
	return start(t, &program{
		name: "minio", health: "/minio/health/live",
		environment: append([]string{
			"MINIO_ROOT_USER=" + AccessKey, "MINIO_ROOT_PASSWORD=" + SecretKey,
			"MINIO_UPDATE=off", "MINIO_BROWSER=off", "MINIO_CI_CD=1",
		}, environment...),
		arguments: func(address, dir string) []string {
			return []string{"server", "--quiet", "--address", address, filepath.Join(dir, "data")}
		},
	})
}

// Versitygw starts a versitygw server on a directory.
func Versitygw(t testing.TB) *Server {
	t.Helper()
	return start(t, &program{
		name: "versitygw", health: "/health",
		environment: []string{"ROOT_ACCESS_KEY=" + AccessKey, "ROOT_SECRET_KEY=" + SecretKey},
		arguments: func(address, dir string) []string {
			return []string{"--port", address, "--quiet", "--health", "/health", "posix", filepath.Join(dir, "data")}
		},
	})
}

type program struct {
	name, health string
	environment  []string
	arguments    func(address, dir string) []string
}

func start(t testing.TB, p *program) *Server {
	t.Helper()
	testkit.Slow(t)
	binary := find(t, repository(), p.name)
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, binary, p.arguments(address, dir)...) //nolint:gosec // built by ourselves
	command.Env = append(environment(), p.environment...)
	command.Env = append(command.Env, "HOME="+dir)
	command.Stdout, command.Stderr = log, log
	// The kernel ends the server with the test process, even if that is killed.
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread() // the signal is sent when the thread that has started the server ends
	err = command.Start()
	runtime.UnlockOSThread()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = command.Wait(); _ = log.Close() })
	if err := ready("http://" + address + p.health); err != nil {
		text, _ := os.ReadFile(log.Name())
		t.Fatalf("%s did not start: %v\n%s", p.name, err, text)
	}
	return &Server{Endpoint: address, Client: Client(t, address, credentials.NewStaticV4(AccessKey, SecretKey, "")), buckets: &atomic.Int64{}}
}

// environment returns the environment variables of this process, except those that affect S3
// servers.
func environment() []string {
	var kept []string
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "MINIO_") && !strings.HasPrefix(pair, "AWS_") {
			kept = append(kept, pair)
		}
	}
	return kept
}

// Client returns an S3 client without a proxy.
func Client(t testing.TB, endpoint string, creds *credentials.Credentials) *minio.Client {
	t.Helper()
	client, err := minio.New(endpoint, &minio.Options{Creds: creds})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// Bucket creates a new bucket.
func (s *Server) Bucket(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("bucket-%d", s.buckets.Add(1))
	if err := s.Client.MakeBucket(t.Context(), name, minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	return name
}

const serversScript = "hack/s3-servers.sh"

func repository() string {
	dir, err := os.Getwd()
	for err == nil && dir != filepath.Dir(dir) {
		if _, missing := os.Stat(filepath.Join(dir, serversScript)); missing == nil {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	return ""
}

// find returns the path of a server's binary, which it builds if it is missing. If the build fails,
// find fails the test under CI, and otherwise skips it.
func find(t testing.TB, root, name string) string {
	t.Helper()
	err := build(root)
	if err == nil {
		return filepath.Join(root, "bin", "s3", name)
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s cannot be built: %v", name, err)
	}
	t.Skipf("%s is neither built nor can it be built here, so the bucket store is not tested on it: %v", name, err)
	return ""
}

// build runs the script that builds the servers. A lock file keeps other processes from building at
// the same time.
func build(root string) error {
	if err := os.MkdirAll(filepath.Join(root, "bin", "s3"), 0o755); err != nil { //nolint:gosec // no secrets
		return err
	}
	lock, err := os.Create(filepath.Join(root, "bin", "s3", "lock")) //nolint:gosec // below the repository
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	out, err := exec.Command(filepath.Join(root, serversScript)).CombinedOutput() //nolint:gosec // of the repository
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

func ready(url string) error {
	const times, apart = 1200, 50 * time.Millisecond
	err := errors.New("not asked")
	for range times {
		time.Sleep(apart)
		var response *http.Response
		if response, err = http.Get(url); err != nil { //nolint:gosec,noctx // our own server
			continue
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode == http.StatusOK {
			return nil
		}
		err = errors.New(response.Status)
	}
	return err
}
