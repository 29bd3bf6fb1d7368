package git_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

func TestBearerTokenIsAccepted(t *testing.T) {
	config := served(t, gittest.Bare(t))
	config.Auth = git.Auth{Bearer: gittest.Password}
	storetest.Write(t, open(t, config), map[string]string{"a": "1"})
	config.Auth.Bearer = "wrong-s3cret"
	for _, err := range both(t, config) {
		if told := wantError(t, err, statestore.ErrDenied); !strings.Contains(told.Fix, "bearerToken") {
			t.Errorf("fix %q", told.Fix)
		}
	}
}

func TestReadOnlyUserIsDeniedToWrite(t *testing.T) {
	repository := gittest.Bare(t)
	gittest.Commit(t, repository, "main", map[string]string{"a": "1"})
	config := served(t, repository)
	config.Auth.Username = gittest.Reader
	store := open(t, config)
	storetest.Holds(t, store, map[string]string{"a": "1"})
	_, err := store.Apply(t.Context(), statestore.ChangeSet{Base: storetest.Read(t, store).Revision, Write: testkit.Files(map[string]string{"b": "2"})})
	for _, err := range []error{err, store.Probe(t.Context())} {
		told := wantError(t, err, statestore.ErrDenied)
		if !strings.Contains(told.Error(), "You are not allowed to push code to this project.") || !strings.Contains(told.Fix, "may write") {
			t.Errorf("%v (fix %q)", err, told.Fix)
		}
	}
}

type github struct {
	*httptest.Server
	key    *rsa.PrivateKey
	app    git.GitHubApp
	now    time.Time
	given  int
	status int    // status of a rejection, or zero
	words  string // text of a rejection
	header http.Header
}

func newGitHub(t *testing.T) *github {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	g := &github{key: key, now: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)}
	g.Server = httptest.NewServer(http.HandlerFunc(g.issueToken))
	t.Cleanup(g.Close)
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	g.app = git.GitHubApp{ID: "123", Installation: "456", PrivateKey: string(text), APIURL: g.URL + "/api/v3/"}
	return g
}

func (g *github) issueToken(w http.ResponseWriter, r *http.Request) {
	if g.status != 0 {
		for name := range g.header {
			w.Header().Set(name, g.header.Get(name))
		}
		w.WriteHeader(g.status)
		fmt.Fprintf(w, `{"message": %q}`, g.words)
		return
	}
	if r.Method != http.MethodPost || r.URL.Path != "/api/v3/app/installations/456/access_tokens" || !g.isValid(r.Header.Get("Authorization")) {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"message": "A JSON web token could not be decoded"}`)
		return
	}
	g.given++
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintf(w, `{"token": %q, "expires_at": %q}`, gittest.Password, g.now.Add(time.Hour).Format(time.RFC3339))
}

func (g *github) isValid(authorization string) bool {
	jwt, ok := strings.CutPrefix(authorization, "Bearer ")
	parts := strings.Split(jwt, ".")
	if !ok || len(parts) != 3 {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err != nil || rsa.VerifyPKCS1v15(&g.key.PublicKey, crypto.SHA256, sum[:], signature) != nil {
		return false
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		Issued  int64  `json:"iat"`
		Expires int64  `json:"exp"`
		Issuer  string `json:"iss"`
	}
	if err != nil || json.Unmarshal(text, &claims) != nil {
		return false
	}
	now := g.now.Unix()
	return claims.Issuer == "123" && claims.Issued <= now && claims.Expires > now && claims.Expires-claims.Issued <= 600
}

func appStore(t *testing.T, g *github, repository string) (*git.Store, git.Config) {
	t.Helper()
	backend := gittest.Backend(t, parent(repository))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, ok := r.BasicAuth(); ok && user == "x-access-token" {
			r.SetBasicAuth(gittest.User, password)
		}
		backend.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	config := git.Config{
		Name: "GitStateStore default", URL: server.URL + "/store.git", Auth: git.Auth{App: g.app},
		Now: func() time.Time { return g.now },
	}
	store, err := git.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	return store, config
}

func TestAppTokenIsRenewedBeforeItExpires(t *testing.T) {
	g := newGitHub(t)
	store, _ := appStore(t, g, gittest.Bare(t))
	for _, c := range []struct {
		after time.Duration
		given int
	}{{0, 1}, {time.Minute, 1}, {53 * time.Minute, 1}, {2 * time.Minute, 2}, {54 * time.Minute, 2}, {time.Hour, 3}} {
		g.now = g.now.Add(c.after)
		storetest.Write(t, store, map[string]string{"a": g.now.String()})
		if g.given != c.given {
			t.Errorf("after another %s: %d tokens, want %d", c.after, g.given, c.given)
		}
	}
}

func TestRejectedAppTokenIsRenewed(t *testing.T) {
	g := newGitHub(t)
	refuse := false
	backend := gittest.Backend(t, parent(gittest.Bare(t)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refuse {
			http.Error(w, "Bad credentials", http.StatusUnauthorized)
			return
		}
		r.SetBasicAuth(gittest.User, gittest.Password)
		backend.ServeHTTP(w, r)
	}))
	defer server.Close()
	store, err := git.Open(git.Config{Name: "GitStateStore default", URL: server.URL + "/store.git", Auth: git.Auth{App: g.app}, Now: func() time.Time { return g.now }})
	if err != nil {
		t.Fatal(err)
	}
	storetest.Read(t, store)
	refuse = true
	_, err = store.Read(t.Context())
	if told := wantError(t, err, statestore.ErrDenied); !strings.Contains(told.Fix, "installationID") {
		t.Errorf("fix %q", told.Fix)
	}
	refuse = false
	storetest.Read(t, store)
	if g.given != 2 {
		t.Errorf("%d tokens", g.given)
	}
}

func TestGitHubsErrorIsReported(t *testing.T) {
	g := newGitHub(t)
	store, _ := appStore(t, g, gittest.Bare(t))
	for status, want := range map[int]error{
		http.StatusNotFound:           statestore.ErrDenied,
		http.StatusUnauthorized:       statestore.ErrDenied,
		http.StatusServiceUnavailable: statestore.ErrUnavailable,
	} {
		g.status, g.words = status, "Integration not found"
		_, err := store.Read(t.Context())
		told := wantError(t, err, want)
		if !strings.Contains(told.Error(), "Integration not found") || errors.Is(want, statestore.ErrDenied) != strings.Contains(told.Fix, "appID") {
			t.Errorf("%v (fix %q)", err, told.Fix)
		}
	}
}

func TestAppSettingsAreValidated(t *testing.T) {
	g := newGitHub(t)
	_, config := appStore(t, g, gittest.Bare(t))
	for why, change := range map[string]func(*git.GitHubApp){
		"key installationID of the Secret is not a number":       func(a *git.GitHubApp) { a.Installation = "x/../y" },
		"key privateKey of the Secret is not PEM encoded":        func(a *git.GitHubApp) { a.PrivateKey = "s3cret" },
		"key privateKey of the Secret is not an RSA private key": func(a *git.GitHubApp) { a.PrivateKey = "-----BEGIN X-----\nczNjcmV0\n-----END X-----\n" },
		"key apiURL of the Secret is not an http or https URL":   func(a *git.GitHubApp) { a.APIURL = "ftp://x" },
		"key apiURL of the Secret is not an http or https URL ":  func(a *git.GitHubApp) { a.APIURL = "github.example.com" },
	} {
		changed := config
		change(&changed.Auth.App)
		_, err := git.Open(changed)
		if told := wantError(t, err, statestore.ErrMisconfigured); !strings.Contains(told.Error(), strings.TrimSpace(why)) {
			t.Errorf("%v, want %q", err, why)
		}
	}
}
