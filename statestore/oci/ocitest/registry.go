// Package ocitest has OCI registries for tests: a real one, and one in memory. It does I/O.
package ocitest

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/kratix-schedule/kratix-schedule/internal/servertest"
)

// Username and Password are the credentials of a registry with a login.
const (
	Username = "owner"
	Password = "owner-s3cret" //nolint:gosec // of a server that runs as long as a test
)

// Registry starts the registry of the distribution project, and returns its host and port.
func Registry(t testing.TB) string {
	t.Helper()
	return start(t, "")
}

// RegistryWithLogin starts the registry of the distribution project with a login for Username and
// Password, and returns its host and port.
func RegistryWithLogin(t testing.TB) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(Password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "htpasswd")
	if err := os.WriteFile(file, []byte(Username+":"+string(hash)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return start(t, fmt.Sprintf("auth: {htpasswd: {realm: test, path: %s}}\n", file))
}

func start(t testing.TB, more string) string {
	t.Helper()
	return servertest.Start(t, &servertest.Program{
		Dir: "oci", Name: "registry", Health: "/",
		Environment: []string{"OTEL_TRACES_EXPORTER=none"},
		Arguments: func(address, dir string) []string {
			file := filepath.Join(dir, "config.yaml")
			text := fmt.Sprintf("version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: %s}, delete: {enabled: true}, maintenance: {uploadpurging: {enabled: false}}}\nhttp: {addr: %q}\n%s",
				filepath.Join(dir, "data"), address, more)
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			return []string{"serve", file}
		},
	})
}

// names counts the results of Prefix.
var names atomic.Int64 //nolint:gochecknoglobals // tests of all packages need different names

// Prefix returns a prefix that no other test uses.
func Prefix() string { return fmt.Sprintf("fleet-%d", names.Add(1)) }

// Describe returns a short description of a request, such as "PUT manifest latest".
func Describe(r *http.Request) string {
	switch path := r.URL.Path; {
	case strings.HasSuffix(path, "/tags/list"):
		return r.Method + " tags"
	case strings.Contains(path, "/blobs/uploads/"):
		return r.Method + " upload"
	case strings.Contains(path, "/blobs/"):
		return r.Method + " blob"
	case strings.Contains(path, "/manifests/"):
		return r.Method + " manifest " + path[strings.LastIndex(path, "/")+1:]
	}
	return r.Method + " " + r.URL.Path
}

// NewProxy starts a proxy in front of a registry.
func NewProxy(t testing.TB, endpoint string) *servertest.Proxy {
	t.Helper()
	return servertest.NewProxy(t, endpoint, Describe)
}

// NewTLSProxy starts a proxy with TLS in front of a registry. No client trusts its certificate.
func NewTLSProxy(t testing.TB, endpoint string) *servertest.Proxy {
	t.Helper()
	return servertest.NewTLSProxy(t, endpoint, Describe)
}

// Fail writes an error response of a registry.
func Fail(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"errors":[{"code":%q,"message":%q}]}`, code, message)
}
