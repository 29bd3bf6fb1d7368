package git_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

func wantError(t *testing.T, err, kind error) statestore.Error {
	t.Helper()
	var told *statestore.Error
	if !errors.As(err, &told) || !errors.Is(err, kind) {
		t.Fatalf("got %v, want a *statestore.Error that wraps %q", err, kind)
	}
	if told.Store != "GitStateStore default" || told.Op == "" {
		t.Errorf("store %q, op %q", told.Store, told.Op)
	}
	if everything := told.Error() + told.Remote + told.Fix; strings.Contains(everything, "s3cret") || strings.Contains(everything, "\n") {
		t.Errorf("a secret or a second line in: %s", everything)
	}
	return *told
}

func both(t *testing.T, config git.Config) []error {
	t.Helper()
	store := open(t, config)
	_, read := store.Read(t.Context())
	_, write := store.Apply(t.Context(), statestore.ChangeSet{Write: testkit.Files(map[string]string{"a": "1"})})
	return []error{read, write}
}

func TestHookOutputIsReported(t *testing.T) {
	repository := gittest.Bare(t)
	for _, hook := range []string{"pre-receive", "update"} {
		for _, config := range []git.Config{{URL: repository}, served(t, repository)} {
			gittest.Hook(t, repository, hook, "echo 'no commits on Fridays: failed to lock' >&2\necho >&2\necho 'ask ops' >&2\nexit 1\n")
			store := open(t, config)
			_, err := store.Apply(t.Context(), statestore.ChangeSet{Write: testkit.Files(map[string]string{"a": "1"})})
			told := wantError(t, err, statestore.ErrDenied)
			if !strings.Contains(told.Remote, "no commits on Fridays: failed to lock; ask ops") || !strings.Contains(told.Error(), "hook declined") || told.Fix == "" {
				t.Errorf("%s: %v (remote %q, fix %q)", hook, err, told.Remote, told.Fix)
			}
			storetest.Holds(t, store, map[string]string{})
			gittest.Hook(t, repository, hook, "exit 0\n")
		}
	}
	store := open(t, git.Config{URL: repository})
	storetest.Write(t, store, map[string]string{"a": "1"})
	storetest.Holds(t, store, map[string]string{"a": "1"})
}

func TestWrongCredentialsAreDeniedAndNeverPrinted(t *testing.T) {
	repository := gittest.Bare(t)
	good := served(t, repository)
	withUser := func(user *url.Userinfo) git.Config {
		u, _ := url.Parse(good.URL)
		u.User = user
		return git.Config{URL: u.String(), CABundle: good.CABundle}
	}
	wrong := good
	wrong.Auth.Password = "wrong-s3cret"
	none := good
	none.Auth = git.Auth{}
	for name, config := range map[string]git.Config{
		"wrong password":     wrong,
		"no credentials":     none,
		"in the URL":         withUser(url.UserPassword("someone", "wrong-s3cret/+ä")),
		"a token in the URL": withUser(url.User("token-s3cret")),
	} {
		for _, err := range both(t, config) {
			told := wantError(t, err, statestore.ErrDenied)
			if !strings.Contains(told.Fix, "username") || !strings.Contains(told.Fix, "password") {
				t.Errorf("%s: fix %q", name, told.Fix)
			}
		}
	}
	storetest.Write(t, open(t, withUser(url.UserPassword(gittest.User, gittest.Password))), map[string]string{"a": "1"})
}

func TestPasswordThatAServerRepeatsIsRedacted(t *testing.T) {
	for _, code := range []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusBadGateway, http.StatusOK} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, password, _ := r.BasicAuth()
			http.Error(w, "you said "+password+"\nand "+url.QueryEscape(password), code)
		}))
		for _, err := range both(t, git.Config{URL: server.URL, Auth: git.Auth{Password: "s3cret /+"}}) {
			var told *statestore.Error
			if !errors.As(err, &told) || strings.Contains(told.Error()+told.Remote+told.Fix, "s3cret") {
				t.Errorf("%d: %v", code, err)
			}
		}
		server.Close()
	}
}

func TestUnknownCertificateNamesTheSecretKeyOfTheCA(t *testing.T) {
	repository := gittest.Bare(t)
	config := served(t, repository)
	config.CABundle = nil
	for _, err := range both(t, config) {
		told := wantError(t, err, statestore.ErrMisconfigured)
		if !strings.Contains(told.Fix, "ca.crt") || !strings.Contains(told.Error(), "certificate") {
			t.Errorf("%v (fix %q)", err, told.Fix)
		}
	}
	config.Insecure = true
	storetest.Write(t, open(t, config), map[string]string{"a": "1"})
}

func TestHTTPStatusDeterminesTheKindOfError(t *testing.T) {
	for code, want := range map[int]error{
		http.StatusForbidden:             statestore.ErrDenied,
		http.StatusNotFound:              statestore.ErrMisconfigured,
		http.StatusGone:                  statestore.ErrMisconfigured,
		http.StatusRequestEntityTooLarge: statestore.ErrDenied,
		http.StatusTooManyRequests:       statestore.ErrUnavailable,
		http.StatusInternalServerError:   statestore.ErrUnavailable,
		http.StatusServiceUnavailable:    statestore.ErrUnavailable,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "sorry, no", code) }))
		for _, err := range both(t, git.Config{URL: server.URL + "/x.git"}) {
			if told := wantError(t, err, want); !strings.Contains(told.Error(), "sorry, no") {
				t.Errorf("%d: the server's words are missing: %v", code, err)
			}
		}
		server.Close()
	}
}

func TestUnreachableServerIsUnavailable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	for _, err := range both(t, git.Config{URL: "http://" + address + "/x.git"}) {
		if told := wantError(t, err, statestore.ErrUnavailable); !strings.Contains(told.Error(), address) {
			t.Errorf("the address is missing: %v", err)
		}
	}
}

func TestTruncatedResponseIsUnavailable(t *testing.T) {
	repository := gittest.Bare(t)
	gittest.Commit(t, repository, "main", map[string]string{"a": strings.Repeat("a\n", 5000)})
	for _, limit := range []int64{0, 10, 150, 300, 420} {
		config := intercepted(t, repository, func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			recorder := httptest.NewRecorder()
			next.ServeHTTP(recorder, r)
			w.Header().Set("Content-Type", recorder.Header().Get("Content-Type"))
			_, _ = io.CopyN(w, recorder.Body, limit)
			panic(http.ErrAbortHandler)
		})
		_, err := open(t, config).Read(t.Context())
		wantError(t, err, statestore.ErrUnavailable)
	}
}

func TestReadFromASlowServerEndsWithTheContext(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	defer close(release)
	store := open(t, git.Config{URL: server.URL})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, err := store.Read(ctx)
	wantError(t, err, statestore.ErrUnavailable)
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > time.Minute {
		t.Errorf("%v after %s", err, time.Since(begun))
	}
}

func TestWaitForTheTurnEndsWithTheContext(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		w.WriteHeader(http.StatusNotFound)
	}))
	defer server.Close()
	store := open(t, git.Config{URL: server.URL})
	first := make(chan error, 1)
	go func() {
		_, err := store.Read(t.Context())
		first <- err
	}()
	<-entered
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := store.Read(ctx)
	wantError(t, err, statestore.ErrUnavailable)
	close(release)
	wantError(t, <-first, statestore.ErrMisconfigured)
}

func TestURLWithoutARepositoryIsMisconfigured(t *testing.T) {
	repository := gittest.Bare(t)
	missing := served(t, repository)
	missing.URL = strings.TrimSuffix(missing.URL, filepath.Base(repository)) + "nothing.git"
	for _, config := range []git.Config{
		missing,
		{URL: filepath.Join(repository, "HEAD")},
		{URL: filepath.Join(repository, "refs")},
	} {
		for _, err := range both(t, config) {
			wantError(t, err, statestore.ErrMisconfigured)
		}
	}
}

func TestOpenRejectsInvalidSettings(t *testing.T) {
	now := func() time.Time { return time.Time{} }
	for name, config := range map[string]git.Config{
		"no clock":               {URL: "/x"},
		"no URL":                 {Now: now},
		"ssh":                    {Now: now, URL: "ssh://git@example.com/x.git"},
		"short ssh":              {Now: now, URL: "git@example.com:x.git"},
		"an unknown scheme":      {Now: now, URL: "ftp://example.com/x.git"},
		"a URL without a host":   {Now: now, URL: "https:///x.git"},
		"a file URL with a host": {Now: now, URL: "file://x/y.git"},
		"a URL with a bad port":  {Now: now, URL: "https://u:s3cret@example.com:x/y"},
		"a branch with a space":  {Now: now, URL: "/x", Branch: "a b"},
		"a branch going up":      {Now: now, URL: "/x", Branch: "../x"},
		"a path going up":        {Now: now, URL: "/x", Path: "../x"},
		"a CA that is no PEM":    {Now: now, URL: "https://example.com/x", CABundle: []byte("x")},
	} {
		config.Name = "GitStateStore default"
		t.Run(name, func(t *testing.T) {
			_, err := git.Open(config)
			wantError(t, err, statestore.ErrMisconfigured)
		})
	}
}
