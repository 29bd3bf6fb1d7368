package git_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

func behindProxy(t *testing.T, config git.Config) (git.Config, *gittest.Proxy) {
	t.Helper()
	u, err := url.Parse(config.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := gittest.NewProxy(t, u.Host)
	config.URL = strings.Replace(config.URL, u.Host, proxy.Address, 1)
	config.Auth.SSH.KnownHosts = strings.Replace(config.Auth.SSH.KnownHosts, port(u.Host), port(proxy.Address), 1)
	return config, proxy
}

func TestBrokenConnections(t *testing.T) {
	testkit.Slow(t)
	servers := map[string]func(repository string) git.Config{
		"http":  func(repository string) git.Config { return plainHTTP(t, repository) },
		"https": func(repository string) git.Config { return served(t, repository) },
		"ssh": func(repository string) git.Config {
			config, _ := servedBySSH(t, repository)
			return config
		},
	}
	faults := map[string]gittest.Fault{
		"cut at once":           {Cut: true},
		"cut in the middle":     {Cut: true, After: 700},
		"cut late":              {Cut: true, After: 2500},
		"reset at once":         {Reset: true},
		"reset in the middle":   {Reset: true, After: 900},
		"garbage at once":       {Garbage: "220 mail.example.com ESMTP\r\n\x00\xff"},
		"garbage in the middle": {Garbage: strings.Repeat("\x00\xff?", 100), After: 800},
	}
	for server, reach := range servers {
		for name, fault := range faults {
			t.Run(server+", "+name, func(t *testing.T) {
				repository := gittest.Bare(t)
				gittest.Commit(t, repository, "main", map[string]string{"a": noise(4000)})
				config, proxy := behindProxy(t, reach(repository))
				store := open(t, config)
				proxy.Set(fault)
				_, err := store.Read(t.Context())
				wantError(t, err, statestore.ErrUnavailable)
				proxy.Set(gittest.Fault{})
				base := storetest.Read(t, store).Revision
				proxy.Set(fault)
				_, err = store.Apply(t.Context(), statestore.ChangeSet{Base: base, Write: testkit.Files(map[string]string{"b": noise(4000)})})
				if err != nil || fault.After == 0 { // over http, a response may be complete before the fault
					wantError(t, err, statestore.ErrUnavailable)
				}
				proxy.Set(gittest.Fault{})
				storetest.Write(t, store, map[string]string{"b": noise(4000)})
				storetest.Holds(t, store, map[string]string{"a": noise(4000), "b": noise(4000)})
				if n := gittest.Commits(t, repository, "main"); n != "2" {
					t.Errorf("%s commits", n)
				}
				gittest.Fsck(t, repository)
			})
		}
	}
}

func plainHTTP(t *testing.T, repository string) git.Config {
	return intercepted(t, repository, func(next http.Handler, w http.ResponseWriter, r *http.Request) { next.ServeHTTP(w, r) })
}

func TestSlowServerIsAwaited(t *testing.T) {
	repository := gittest.Bare(t)
	config, proxy := behindProxy(t, served(t, repository))
	proxy.Set(gittest.Fault{Delay: 300 * time.Millisecond})
	store := open(t, config)
	storetest.Write(t, store, map[string]string{"a": "1"})
	storetest.Holds(t, store, map[string]string{"a": "1"})
}

func TestReadFromAHangingServerEndsWithTheContext(t *testing.T) {
	testkit.Slow(t)
	for name, reach := range map[string]func(string) git.Config{
		"https": func(repository string) git.Config { return served(t, repository) },
		"ssh": func(repository string) git.Config {
			config, _ := servedBySSH(t, repository)
			return config
		},
	} {
		for _, after := range []int64{0, 300, 1500, 3000} {
			repository := gittest.Bare(t)
			gittest.Commit(t, repository, "main", map[string]string{"a": noise(8000)})
			config, proxy := behindProxy(t, reach(repository))
			proxy.Set(gittest.Fault{Hang: true, After: after})
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			begun := time.Now()
			_, err := open(t, config).Read(ctx)
			cancel()
			wantError(t, err, statestore.ErrUnavailable)
			if took := time.Since(begun); took > time.Minute {
				t.Errorf("%s after %d bytes: %s", name, after, took)
			}
		}
	}
}

func TestArchivedRepositoryIsReportedAsArchived(t *testing.T) {
	repository := gittest.Bare(t)
	gittest.Commit(t, repository, "main", map[string]string{"a": "1"})
	config := intercepted(t, repository, func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("service") == "git-receive-pack" {
			http.Error(w, "This repository was archived so it is read-only.", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
	store := open(t, config)
	base := storetest.Read(t, store).Revision
	_, err := store.Apply(t.Context(), statestore.ChangeSet{Base: base, Write: testkit.Files(map[string]string{"b": "1"})})
	told := wantError(t, err, statestore.ErrDenied)
	if !strings.Contains(told.Error(), "was archived so it is read-only") || !strings.Contains(told.Fix, "unarchive it") {
		t.Errorf("%v (fix %q)", err, told.Fix)
	}
}

func TestWebPageIsNotReadAsARepository(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte("<html><body>Please log in</body></html>")) //nolint:errcheck // the client is there
	}))
	defer server.Close()
	for _, err := range both(t, git.Config{URL: server.URL + "/x.git"}) {
		told := wantError(t, err, statestore.ErrUnavailable)
		if !strings.Contains(told.Fix, "not a git server's answer") {
			t.Errorf("%v (fix %q)", err, told.Fix)
		}
	}
}
