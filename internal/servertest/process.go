// Package servertest starts real servers for tests of stores, and proxies in front of them that can
// inject faults. It does I/O.
package servertest

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
	"syscall"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

// Program describes how to start a server.
type Program struct {
	// Name is the name of the binary, and Dir its directory in bin/.
	Name, Dir string
	// Health is a path that the server answers with 200 once it is ready.
	Health string
	// Environment has additional environment variables.
	Environment []string
	// Arguments returns the arguments for an address and a directory, which has an empty directory
	// data.
	Arguments func(address, dir string) []string
}

// Start starts a server until the test ends, and returns its host and port. If the binary is missing,
// Start builds it. If it cannot be built, Start skips the test, or fails it under CI.
func Start(t testing.TB, p *Program) string {
	t.Helper()
	testkit.Slow(t)
	binary := find(t, repository(), p.Dir, p.Name)
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
	command := exec.CommandContext(ctx, binary, p.Arguments(address, dir)...) //nolint:gosec // built by ourselves
	command.Env = append(environment(), p.Environment...)
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
	if err := ready("http://" + address + p.Health); err != nil {
		text, _ := os.ReadFile(log.Name())
		t.Fatalf("%s did not start: %v\n%s", p.Name, err, text)
	}
	return address
}

// environment returns the environment variables of this process, except those that affect the
// servers.
func environment() []string {
	var kept []string
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "MINIO_") && !strings.HasPrefix(pair, "AWS_") && !strings.HasPrefix(pair, "REGISTRY_") {
			kept = append(kept, pair)
		}
	}
	return kept
}

// serversScript is the path of the script that builds the servers, relative to the root of the
// repository.
const serversScript = "hack/servers.sh"

// repository returns the root directory of this repository. It is the nearest directory above the
// working directory that has the script.
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

// find returns the path of a server's binary, and builds the binary if it is missing. If it cannot
// be built, find skips the test, or fails it under CI.
func find(t testing.TB, root, dir, name string) string {
	t.Helper()
	err := build(root, dir)
	if err == nil {
		return filepath.Join(root, "bin", dir, name)
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s cannot be built: %v", name, err)
	}
	t.Skipf("%s is neither built nor can it be built here, so nothing is tested on it: %v", name, err)
	return ""
}

// build runs the script that builds the servers. A lock file makes other processes wait meanwhile.
func build(root, dir string) error {
	if err := os.MkdirAll(filepath.Join(root, "bin", dir), 0o755); err != nil { //nolint:gosec // no secrets
		return err
	}
	lock, err := os.Create(filepath.Join(root, "bin", dir, "lock")) //nolint:gosec // below the repository
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	out, err := exec.Command(filepath.Join(root, serversScript), dir).CombinedOutput() //nolint:gosec // of the repository
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
