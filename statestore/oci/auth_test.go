package oci_test

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/oci"
	"github.com/kratix-schedule/kratix-schedule/statestore/oci/ocitest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

func TestLoginAtARealRegistry(t *testing.T) {
	t.Parallel()
	c := config(ocitest.RegistryWithLogin(t))
	if _, err := open(t, c).Read(t.Context()); !errors.Is(err, statestore.ErrDenied) {
		t.Errorf("without credentials: %v", err)
	}
	c.Auth = oci.Auth{Username: ocitest.Username, Password: "wrong-password"}
	if _, err := open(t, c).Read(t.Context()); !errors.Is(err, statestore.ErrDenied) || statestore.ClassOf(err) != statestore.Setting {
		t.Errorf("with a wrong password: %v", err)
	}
	c.Auth.Password = ocitest.Password
	store := open(t, c)
	if err := store.Probe(t.Context()); err != nil {
		t.Errorf("probe: %v", err)
	}
	storetest.Write(t, store, map[string]string{"a": "1"})
	storetest.Holds(t, open(t, c), map[string]string{"a": "1"})
}

// tokens is a registry with a token server on another port. A token is valid for three requests.
type tokens struct {
	registry, realm *httptest.Server
	issued, used    atomic.Int64
	basic           sync.Map // the Authorization headers that the realm has received
}

func newTokens(t *testing.T) *tokens {
	t.Helper()
	made := &tokens{}
	next := ocitest.NewMemory()
	made.realm = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		made.basic.Store(r.Header.Get("Authorization"), true)
		user, password, _ := r.BasicAuth()
		if user != ocitest.Username || password != ocitest.Password {
			ocitest.Fail(w, http.StatusUnauthorized, "UNAUTHORIZED", "no such user with "+password)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"token": fmt.Sprint("token-", made.issued.Add(1))})
	}))
	t.Cleanup(made.realm.Close)
	made.registry = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != fmt.Sprint("Bearer token-", made.issued.Load()) || made.used.Load() >= 3*made.issued.Load() {
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="%s/token",service="registry"`, made.realm.URL))
			ocitest.Fail(w, http.StatusUnauthorized, "UNAUTHORIZED", "token expired")
			return
		}
		made.used.Add(1)
		next.ServeHTTP(w, r)
	}))
	t.Cleanup(made.registry.Close)
	return made
}

func TestExpiredTokensAreRenewed(t *testing.T) {
	t.Parallel()
	server := newTokens(t)
	c := config(server.registry.Listener.Addr().String())
	c.Auth = oci.Auth{Username: ocitest.Username, Password: ocitest.Password}
	store := open(t, c)
	for i := range 3 {
		storetest.Write(t, store, map[string]string{"a": strconv.Itoa(i)})
	}
	storetest.Holds(t, store, map[string]string{"a": "2"})
	if server.issued.Load() < 8 {
		t.Errorf("only %d tokens were issued", server.issued.Load())
	}
	c.Auth.Password = "hunter2hunter2"
	_, err := open(t, c).Read(t.Context())
	if !errors.Is(err, statestore.ErrDenied) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("with a wrong password: %v", err)
	}
}

func TestRealmOnAnotherPrivateAddressGetsNoCredentials(t *testing.T) {
	t.Parallel()
	asked := &atomic.Bool{}
	realm := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Store(true) }))
	defer realm.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="%s/token"`, realm.URL))
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer server.Close()
	c := config(strings.Replace(server.Listener.Addr().String(), "127.0.0.1", "localhost", 1))
	c.Auth = oci.Auth{Username: ocitest.Username, Password: ocitest.Password}
	if _, err := open(t, c).Read(t.Context()); !errors.Is(err, statestore.ErrDenied) || asked.Load() {
		t.Errorf("asked: %t, %v", asked.Load(), err)
	}
}

func TestOtherHostsGetNoCredentials(t *testing.T) {
	t.Parallel()
	next := ocitest.NewMemory()
	var leaked atomic.Value
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			leaked.Store(r.Method + " " + r.URL.Path)
		}
		next.ServeHTTP(w, r)
	}))
	defer other.Close()
	var hostile atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, _, ok := r.BasicAuth(); !ok {
			w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		switch {
		case r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/"):
			http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
		case r.Method == http.MethodPost && hostile.Load():
			w.Header().Set("Location", other.URL+r.URL.Path+"1")
			w.WriteHeader(http.StatusAccepted)
		default:
			next.ServeHTTP(w, r)
		}
	}))
	defer server.Close()
	c := config(server.Listener.Addr().String())
	c.Auth = oci.Auth{Username: ocitest.Username, Password: ocitest.Password}
	storetest.Write(t, open(t, c), map[string]string{"a": "1"})
	storetest.Holds(t, open(t, c), map[string]string{"a": "1"})
	hostile.Store(true)
	store := open(t, c)
	_, err := store.Apply(t.Context(), statestore.ChangeSet{Base: storetest.Read(t, store).Revision, Remove: pathsOf("a")})
	if !errors.Is(err, statestore.ErrDenied) {
		t.Errorf("an upload to another host: %v", err)
	}
	if err := store.Probe(t.Context()); err != nil {
		t.Errorf("probe: %v", err)
	}
	if where := leaked.Load(); where != nil {
		t.Errorf("another host got the credentials with %v", where)
	}
}

func TestRedirectsAreBounded(t *testing.T) {
	t.Parallel()
	var count atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		count.Add(1)
		http.Redirect(w, r, r.URL.Path+"x", http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	_, err := open(t, config(server.Listener.Addr().String())).Read(t.Context())
	if !errors.Is(err, statestore.ErrDenied) || count.Load() > 10 {
		t.Errorf("%d requests, %v", count.Load(), err)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	proxy := ocitest.NewTLSProxy(t, memory(t))
	c := config(proxy.Endpoint)
	c.Insecure = false
	_, err := open(t, c).Read(t.Context())
	if !errors.Is(err, statestore.ErrMisconfigured) || !strings.Contains(fixOf(err), "ca.crt") {
		t.Errorf("an unknown CA: %v, %s", err, fixOf(err))
	}
	c.CABundle = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: proxy.Certificate.Raw})
	storetest.Write(t, open(t, c), map[string]string{"a": "1"})
	c.Insecure = true
	if _, err := open(t, c).Read(t.Context()); err == nil || !strings.Contains(fixOf(err), "spec.insecure to false") {
		t.Errorf("plain HTTP to HTTPS: %v, %s", err, fixOf(err))
	}
	c = config(memory(t))
	c.Insecure = false
	if _, err := open(t, c).Read(t.Context()); !errors.Is(err, statestore.ErrMisconfigured) || !strings.Contains(fixOf(err), "spec.insecure to true") {
		t.Errorf("HTTPS to plain HTTP: %v, %s", err, fixOf(err))
	}
	c.CABundle = []byte("no certificate")
	if _, err := oci.Open(c); !errors.Is(err, statestore.ErrMisconfigured) {
		t.Errorf("an invalid CA bundle: %v", err)
	}
}

func fixOf(err error) string {
	var told *statestore.Error
	errors.As(err, &told)
	if told == nil {
		return ""
	}
	return told.Fix
}

func TestTokenFileIsReadForEachLogin(t *testing.T) {
	t.Parallel()
	server := newTokens(t)
	host := server.registry.Listener.Addr().String()
	dir := t.TempDir()
	file := filepath.Join(dir, strings.ReplaceAll(host, ":", "_"))
	c := config(host)
	c.Auth = oci.Auth{TokenDir: dir}
	store := open(t, c)
	for content, want := range map[string]string{
		"":                             "cannot be read",
		"\n":                           "has no single line",
		"two\nlines":                   "has no single line",
		strings.Repeat("x", 65<<10):    "has no single line",
		ocitest.Username + ":hunter2x": "401 Unauthorized",
	} {
		if content != "" {
			write(t, file, content)
		}
		_, err := store.Read(t.Context())
		if !errors.Is(err, statestore.ErrDenied) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2x") || !strings.Contains(fixOf(err), "KRATIX_SCHEDULE_REGISTRY_TOKENS") {
			t.Errorf("%.20q: %v, %s", content, err, fixOf(err))
		}
		_ = os.Remove(file)
	}
	write(t, file, ocitest.Username+":"+ocitest.Password+"\n")
	storetest.Write(t, store, map[string]string{"a": "1"})
	// The file has a token without a user name.
	server.used.Store(0)
	write(t, file, fmt.Sprint("token-", server.issued.Load()))
	if _, err := open(t, c).Read(t.Context()); err != nil {
		t.Errorf("a token: %v", err)
	}
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDockerConfig(t *testing.T) {
	auth := base64.StdEncoding.EncodeToString([]byte("user:pass:word"))
	for content, want := range map[string]string{
		`{"auths":{"registry.example.com":{"auth":"` + auth + `"}}}`:                     "user pass:word",
		`{"auths":{"https://registry.example.com/v1/":{"username":"u","password":"p"}}}`: "u p",
		`{"auths":{"registry.example.com:5000":{"username":"u","password":"p"}}}`:        "no credentials for registry.example.com",
		`{"auths":{"other.example.com":{"username":"u","password":"hunter2"}}}`:          "no credentials for registry.example.com",
		`{"auths":{"registry.example.com":{"auth":"hunter2"}}}`:                          "no USERNAME:PASSWORD",
		`{"auths":{"registry.example.com":{}},"credsStore":"desktop"}`:                   "credential helpers are not called",
		`{"auths":"hunter2"}`: "not a Docker configuration",
	} {
		found, err := oci.ParseDockerConfig([]byte(content), "registry.example.com")
		got := found.Username + " " + found.Password
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) || strings.Contains(got, "hunter2") {
			t.Errorf("%s: %s", content, got)
		}
	}
	hub := `{"auths":{"https://index.docker.io/v1/":{"username":"u","password":"p"}}}`
	if found, err := oci.ParseDockerConfig([]byte(hub), "docker.io"); err != nil || found.Username != "u" {
		t.Errorf("Docker Hub: %v", err)
	}
}
