// Package gittest is test support. It creates git repositories and serves them over TLS and ssh. It
// runs the git binary.
package gittest

import (
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// User and Password are the credentials that a Server requires.
const (
	User     = "kratix"
	Password = "s3cret-passw0rd"
	// Reader is a user with the same password who may not write.
	Reader = "reader"
)

// Env returns an environment in which git reads no configuration files of the machine.
func Env() []string {
	return append(os.Environ(),
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=stranger", "GIT_AUTHOR_EMAIL=stranger@example.com",
		"GIT_COMMITTER_NAME=stranger", "GIT_COMMITTER_EMAIL=stranger@example.com",
	)
}

// Git runs git in dir. It returns git's output without the last newline.
func Git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = Env()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSuffix(string(out), "\n")
}

// Bare creates an empty bare repository whose HEAD is main.
func Bare(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "store.git")
	Git(t, filepath.Dir(dir), "init", "--quiet", "--bare", "--initial-branch=main", dir)
	Git(t, dir, "config", "gc.auto", "0")
	return dir
}

// Fsck checks that the repository is not damaged.
func Fsck(t testing.TB, repository string) {
	t.Helper()
	if out := Git(t, repository, "fsck", "--strict", "--no-dangling", "--no-progress"); strings.Contains(out, "error") {
		t.Errorf("git fsck: %s", out)
	}
}

// Commits returns the number of commits of a branch.
func Commits(t testing.TB, repository, branch string) string {
	t.Helper()
	return Git(t, repository, "rev-list", "--count", "refs/heads/"+branch)
}

// Clone returns a worktree of the branch. If the branch does not exist, Clone creates it in the
// worktree.
func Clone(t testing.TB, repository, branch string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "worktree")
	Git(t, filepath.Dir(dir), "clone", "--quiet", repository, dir)
	Git(t, dir, "checkout", "--quiet", "-B", branch)
	return dir
}

// Push commits all changes of a worktree, and pushes the commit.
func Push(t testing.TB, worktree string) {
	t.Helper()
	Git(t, worktree, "add", "--all")
	Git(t, worktree, "commit", "--quiet", "--message", "by a stranger")
	Git(t, worktree, "push", "--quiet", "origin", "HEAD")
}

// Commit commits these files to a branch, as another writer would.
func Commit(t testing.TB, repository, branch string, files map[string]string) {
	t.Helper()
	dir := Clone(t, repository, branch)
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	Push(t, dir)
}

// Remove commits the removal of a file to a branch, as another writer would.
func Remove(t testing.TB, repository, branch, name string) {
	t.Helper()
	dir := Clone(t, repository, branch)
	if err := os.Remove(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
		t.Fatal(err)
	}
	Push(t, dir)
}

// Hook installs a shell script as a hook of the repository.
func Hook(t testing.TB, repository, name, script string) {
	t.Helper()
	dir := filepath.Join(repository, "hooks")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
}

// Server is a running https server.
type Server struct {
	*httptest.Server
	// CA is the PEM certificate that clients must trust.
	CA []byte
}

// Partial returns settings for fetches without blobs and of single blobs.
func Partial() []string {
	return []string{"uploadpack.allowFilter=true", "uploadpack.allowReachableSHA1InWant=true"}
}

// Serve serves the repositories below root over https until the test ends. settings are settings of
// git in the form key=value.
func Serve(t testing.TB, root string, settings ...string) *Server {
	t.Helper()
	return ServeTLS(t, Backend(t, root, settings...))
}

// ServeTLS serves a handler until the test ends.
func ServeTLS(t testing.TB, handler http.Handler) *Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // some tests reject the certificate on purpose
	server.StartTLS()
	t.Cleanup(server.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	return &Server{Server: server, CA: ca}
}

// Backend returns git's http-backend as a handler. Clients log in with basic auth, or with Password
// as a bearer token.
func Backend(t testing.TB, root string, settings ...string) http.Handler {
	t.Helper()
	return serveBackend(t, root, backendPath(t, root), nil, settings)
}

// FullBackend returns a Backend that cannot write files, as on a full disk.
func FullBackend(t testing.TB, root string) http.Handler {
	t.Helper()
	return serveBackend(t, root, "/bin/sh", []string{"-c", `trap "" XFSZ; ulimit -f 0; exec "$0"`, backendPath(t, root)}, nil)
}

func backendPath(t testing.TB, root string) string {
	t.Helper()
	return filepath.Join(Git(t, root, "--exec-path"), "git-http-backend")
}

func serveBackend(t testing.TB, root, program string, args, settings []string) http.Handler {
	t.Helper()
	if limit, err := exec.LookPath("timeout"); err == nil { // the backend may loop forever if a request ends too early
		program, args = limit, append([]string{"300", program}, args...)
	}
	settings = append([]string{"http.receivepack=true"}, settings...)
	env := append(Env(), "GIT_PROJECT_ROOT="+root, "GIT_HTTP_EXPORT_ALL=1", fmt.Sprint("GIT_CONFIG_COUNT=", len(settings)))
	for i, setting := range settings {
		key, value, _ := strings.Cut(setting, "=")
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i, key), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, value))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		bearer := r.Header.Get("Authorization") == "Bearer "+Password
		if !bearer && ((user != User && user != Reader) || password != Password) {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		if user == Reader && (strings.HasSuffix(r.URL.Path, "git-receive-pack") || r.URL.Query().Get("service") == "git-receive-pack") {
			http.Error(w, "You are not allowed to push code to this project.", http.StatusForbidden)
			return
		}
		handler := cgi.Handler{
			Path: program, Args: args, Dir: root, Stderr: io.Discard, Logger: log.New(io.Discard, "", 0),
			Env: append(slices.Clip(env), "REMOTE_USER="+User, "GIT_PROTOCOL="+r.Header.Get("Git-Protocol")),
		}
		handler.ServeHTTP(w, r)
	})
}
