package git_test

import (
	"context"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

func serveOdd(t *testing.T, repository string, how gittest.Odd, settings ...string) git.Config {
	t.Helper()
	server := httptest.NewServer(how.Before(gittest.Backend(t, filepath.Dir(repository), settings...)))
	t.Cleanup(server.Close)
	return git.Config{URL: server.URL + "/" + filepath.Base(repository), Auth: git.Auth{Username: gittest.User, Password: gittest.Password}}
}

func checkUsable(t *testing.T, repository string, config git.Config) {
	t.Helper()
	store := open(t, config)
	storetest.Write(t, store, map[string]string{"a": "1", "d/b": "1"})
	gittest.Commit(t, repository, "main", map[string]string{"theirs": "1", "d/c": "1"})
	storetest.Holds(t, store, map[string]string{"a": "1", "d/b": "1", "theirs": "1", "d/c": "1"})
	storetest.Write(t, store, map[string]string{"a": "2"})
	storetest.Holds(t, open(t, config), map[string]string{"a": "2", "d/b": "1", "theirs": "1", "d/c": "1"})
	if err := store.Probe(t.Context()); err != nil {
		t.Errorf("probe: %v", err)
	}
	gittest.Fsck(t, repository)
}

func TestHostThatRequiresMultiAckIsReadAndWritten(t *testing.T) {
	testkit.Slow(t)
	for name, how := range map[string]gittest.Odd{
		"multi_ack_detailed": {NeedsMultiAck: true},
		"multi_ack alone":    {NeedsMultiAck: true, Without: []string{"multi_ack_detailed", "no-done"}},
		"no shallow fetch":   {NeedsMultiAck: true, Without: []string{"shallow", "thin-pack", "filter"}},
	} {
		t.Run(name, func(t *testing.T) {
			repository := gittest.Bare(t)
			checkUsable(t, repository, serveOdd(t, repository, how, gittest.Partial()...))
		})
	}
}

func TestServerWithFewerCapabilitiesIsReadAndWritten(t *testing.T) {
	testkit.Slow(t)
	for _, without := range []string{
		"report-status report-status-v2", "report-status report-status-v2 side-band-64k", "side-band-64k", "side-band side-band-64k", "ofs-delta", "shallow",
		"multi_ack multi_ack_detailed", "agent object-format symref no-progress", "delete-refs atomic quiet",
	} {
		t.Run(without, func(t *testing.T) {
			repository := gittest.Bare(t)
			checkUsable(t, repository, serveOdd(t, repository, gittest.Odd{Without: strings.Fields(without)}))
		})
	}
}

func TestBranchIsReadAfterAPushWithoutAReport(t *testing.T) {
	repository := gittest.Bare(t)
	config := serveOdd(t, repository, gittest.Odd{Without: []string{"report-status", "report-status-v2"}})
	store := open(t, config)
	storetest.Write(t, store, map[string]string{"a": "1"})
	gittest.Hook(t, repository, "pre-receive", "echo 'main is frozen' >&2; exit 1\n")
	state := storetest.Read(t, store)
	_, err := store.Apply(t.Context(), statestore.ChangeSet{Base: state.Revision, Write: testkit.Files(map[string]string{"b": "1"})})
	told := wantError(t, err, statestore.ErrDenied)
	if !strings.Contains(told.Error(), "reported nothing") || !strings.Contains(told.Remote, "main is frozen") || told.Class != statestore.Server {
		t.Errorf("%v (class %q)", &told, told.Class)
	}
	gittest.Hook(t, repository, "pre-receive", "unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES\n"+
		"git update-ref refs/heads/main $(git commit-tree -m foreign -p main main^{tree})\n")
	_, err = store.Apply(t.Context(), statestore.ChangeSet{Base: state.Revision, Write: testkit.Files(map[string]string{"b": "1"})})
	wantError(t, err, statestore.ErrStale)
}

func TestSHA256RepositoryIsReportedAsUnsupported(t *testing.T) {
	for _, empty := range []bool{true, false} {
		repository := filepath.Join(t.TempDir(), "store.git")
		gittest.Git(t, filepath.Dir(repository), "init", "--quiet", "--bare", "--initial-branch=main", "--object-format=sha256", repository)
		if !empty {
			tree := gittest.Git(t, repository, "hash-object", "-t", "tree", "-w", "/dev/null")
			gittest.Git(t, repository, "update-ref", "refs/heads/main", gittest.Git(t, repository, "commit-tree", "-m", "first", tree))
		}
		overSSH, _ := servedBySSH(t, repository)
		for name, config := range map[string]git.Config{"local": {URL: repository}, "https": served(t, repository), "ssh": overSSH} {
			errs := append(both(t, config), open(t, config).Probe(t.Context()))
			if empty { // older gits do not send the object format of an empty repository
				errs = errs[1:]
			}
			for _, err := range errs {
				told := wantError(t, err, statestore.ErrMisconfigured)
				if !strings.Contains(told.Error(), "object-format=sha256") || told.Field != "spec.url" {
					t.Errorf("%s, empty %t: %v (field %q)", name, empty, err, told.Field)
				}
			}
		}
	}
}

func TestEscapedCharactersReachTheServerUnchanged(t *testing.T) {
	for dir, spelling := range map[string]string{
		"My Project/_git/plain":      "My%20Project/_git/plain",
		"100% Cloud/x":               "100%25%20Cloud/x",
		"C# tools/x":                 "C%23%20tools/x",
		"what?/x":                    "what%3F/x",
		"R&D (new)/a+b":              "R&D%20(new)/a%2Bb",
		"Übung/é":                    "%C3%9Cbung/%C3%A9",
		"unescaped Übung/é":          "unescaped%20Übung/é",
		"trailing slash/store.git":   "trailing%20slash/store.git/",
		"percent %2F in a name/team": "percent%20%252F%20in%20a%20name/team",
	} {
		t.Run(dir, func(t *testing.T) {
			root := t.TempDir()
			repository := filepath.Join(root, filepath.FromSlash(dir))
			gittest.Git(t, root, "init", "--quiet", "--bare", "--initial-branch=main", repository)
			server := httptest.NewServer(gittest.Backend(t, root))
			t.Cleanup(server.Close)
			login := git.Auth{Username: "kratix", Password: gittest.Password}
			for _, config := range []git.Config{{URL: server.URL + "/" + spelling, Auth: login}, {URL: "file://" + (&url.URL{Path: root}).EscapedPath() + "/" + spelling}} {
				storetest.Write(t, open(t, config), map[string]string{"a": config.URL})
			}
			if got := gittest.Git(t, repository, "rev-list", "--count", "main"); got != "2" {
				t.Errorf("%s commits", got)
			}
		})
	}
}

func TestIPv6HostIsReached(t *testing.T) {
	listener, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skipf("this machine has no IPv6: %v", err)
	}
	repository := gittest.Bare(t)
	server := httptest.NewUnstartedServer(gittest.Backend(t, filepath.Dir(repository)))
	server.Listener.Close() //nolint:errcheck // another listener serves
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	config := git.Config{URL: server.URL + "/store.git", Auth: git.Auth{Username: gittest.User, Password: gittest.Password}}
	if !strings.Contains(config.URL, "[::1]") {
		t.Fatal(config.URL)
	}
	checkUsable(t, repository, config)
}

func TestURLWithoutASchemeIsRejectedWithASuggestion(t *testing.T) {
	t.Chdir(t.TempDir())
	for address, want := range map[string]string{
		"github.com/org/repo":              "did you mean https://github.com/org/repo?",
		"token-s3cret@github.com/org/repo": "did you mean https://github.com/org/repo?",
		"store.git":                        "did you mean ./store.git?",
		"deep/er/store.git":                "did you mean ./deep/er/store.git?",
	} {
		_, err := git.Open(git.Config{Name: "GitStateStore default", URL: address, Now: time.Now})
		told := wantError(t, err, statestore.ErrMisconfigured)
		if !strings.Contains(told.Error(), want) || !strings.Contains(told.Fix, "spec.url") || told.Field != "spec.url" || told.Class != statestore.Setting {
			t.Errorf("%s: %v (fix %q, field %q)", address, err, told.Fix, told.Field)
		}
	}
	if entries, _ := os.ReadDir("."); len(entries) > 0 {
		t.Errorf("%s was made", entries[0].Name())
	}
}

func TestMissingBranchIsReportedWithTheExistingOnes(t *testing.T) {
	repository := gittest.Bare(t)
	gittest.Commit(t, repository, "main", map[string]string{"a": "1"})
	gittest.Git(t, repository, "branch", "release", "main")
	for branch, want := range map[string]string{
		"mian":    "the repository has no branch mian; it has main, release: did you mean main?",
		"Main":    "did you mean main?",
		"relaese": "did you mean release?",
		"prod":    "the repository has no branch prod; it has main, release",
	} {
		for _, config := range []git.Config{{URL: repository, Branch: branch}, withBranch(served(t, repository), branch)} {
			for _, err := range append(both(t, config), open(t, config).Probe(t.Context())) {
				told := wantError(t, err, statestore.ErrMisconfigured)
				if !strings.Contains(told.Error(), want) || told.Field != "spec.branch" || !strings.Contains(told.Fix, "--create-branch") {
					t.Errorf("%s: %v (fix %q, field %q)", branch, err, told.Fix, told.Field)
				}
			}
			config.CreateBranch = true
			if err := open(t, config).Probe(t.Context()); err != nil {
				t.Errorf("%s, to be made: %v", branch, err)
			}
		}
	}
	for i := range 30 {
		gittest.Git(t, repository, "branch", fmt.Sprintf("team-%02d", i), "main")
	}
	_, err := open(t, git.Config{URL: repository, Branch: "x"}).Read(t.Context())
	if told := wantError(t, err, statestore.ErrMisconfigured); !strings.Contains(told.Error(), " and 22 more") || strings.Contains(told.Error(), "team-29") {
		t.Error(err)
	}
	if refs := gittest.Git(t, repository, "for-each-ref", "refs/heads/mian", "refs/heads/x"); refs != "" {
		t.Errorf("made: %s", refs)
	}
}

func TestBranchBlockedByADirectoryOfBranchesIsReported(t *testing.T) {
	for existing, wanted := range map[string]string{"clusters/prod": "clusters", "clusters": "clusters/prod"} {
		for _, create := range []bool{true, false} {
			repository := gittest.Bare(t)
			gittest.Commit(t, repository, "main", map[string]string{"a": "1"})
			gittest.Git(t, repository, "branch", existing, "main")
			config := withBranch(served(t, repository), wanted)
			config.CreateBranch = create
			want := fmt.Sprintf("the branch %s cannot be made because the branch %s exists", wanted, existing)
			for _, err := range append(both(t, config), open(t, config).Probe(t.Context())) {
				told := wantError(t, err, statestore.ErrMisconfigured)
				if !strings.Contains(told.Error(), want) || told.Field != "spec.branch" || !strings.Contains(told.Fix, "spec.branch") {
					t.Errorf("%v (fix %q, field %q)", err, told.Fix, told.Field)
				}
			}
		}
	}
}

func TestFullReferenceNameIsItsBranch(t *testing.T) {
	repository := gittest.Bare(t)
	pool := &git.Pool{}
	var stores []*git.Store
	for _, branch := range []string{"refs/heads/main", "main", ""} {
		store, err := pool.Open(git.Config{URL: repository, Branch: branch, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		stores = append(stores, store)
		storetest.Write(t, store, map[string]string{"b": branch})
	}
	if stores[0].View().Location != stores[1].View().Location || stores[1].View().Location != stores[2].View().Location {
		t.Error("spellings of one branch are not written at once")
	}
	if refs := gittest.Git(t, repository, "for-each-ref", "--format=%(refname)"); refs != "refs/heads/main" {
		t.Errorf("refs: %s", refs)
	}
	for _, branch := range []string{"refs/tags/v1", "refs/pull/1/head", "HEAD"} {
		_, err := git.Open(git.Config{Name: "GitStateStore default", URL: repository, Branch: branch, Now: time.Now})
		if told := wantError(t, err, statestore.ErrMisconfigured); told.Field != "spec.branch" {
			t.Errorf("%s: %v, field %q", branch, err, told.Field)
		}
	}
}

func TestRateLimitIsAPauseAndNotACredentialProblem(t *testing.T) {
	const words = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
	for name, c := range map[string]struct {
		code   int
		header map[string]string
		words  string
		want   time.Duration
	}{
		"403 with Retry-After":       {http.StatusForbidden, map[string]string{"Retry-After": "5"}, "no", 5 * time.Second},
		"403 with a text":            {http.StatusForbidden, nil, words, time.Minute},
		"403 of a spent limit":       {http.StatusForbidden, map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1763632860", "Date": "Thu, 20 Nov 2025 10:00:00 GMT"}, "no", time.Minute},
		"429":                        {http.StatusTooManyRequests, map[string]string{"Retry-After": "7"}, "no", 7 * time.Second},
		"503":                        {http.StatusServiceUnavailable, map[string]string{"Retry-After": "8"}, "no", 8 * time.Second},
		"500, bounded":               {http.StatusInternalServerError, map[string]string{"Retry-After": "86400"}, "no", time.Hour},
		"429 that names no time":     {http.StatusTooManyRequests, nil, "no", 0},
		"502 that asks for nothing":  {http.StatusBadGateway, nil, "no", 0},
		"408 that names a long time": {http.StatusRequestTimeout, map[string]string{"Retry-After": "90"}, "no", 90 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				for key, value := range c.header {
					w.Header().Set(key, value)
				}
				http.Error(w, c.words, c.code)
			}))
			t.Cleanup(server.Close)
			config := git.Config{Name: "GitStateStore default", URL: server.URL + "/x.git", Auth: git.Auth{Password: "token"}, Now: func() time.Time { return time.Unix(1e9, 0) }}
			pool := &git.Pool{}
			first, err := pool.Open(config)
			if err != nil {
				t.Fatal(err)
			}
			_, err = first.Read(t.Context())
			told := wantError(t, err, statestore.ErrUnavailable)
			if strings.Contains(told.Fix, "Secret") || statestore.RetryAfter(err) != c.want || told.Class != statestore.Server {
				t.Errorf("%v: fix %q, wait %s, class %q; want %s", err, told.Fix, statestore.RetryAfter(err), told.Class, c.want)
			}
			if c.want == 0 {
				return
			}
			// Stores with the same user and server share the pause.
			config.URL = server.URL + "/y.git"
			second, err := pool.Open(config)
			if err != nil {
				t.Fatal(err)
			}
			for _, store := range []*git.Store{first, second} {
				_, err := store.Read(t.Context())
				wantError(t, err, statestore.ErrUnavailable)
				if statestore.RetryAfter(err) != c.want {
					t.Errorf("%v: wait %s, want %s", err, statestore.RetryAfter(err), c.want)
				}
			}
			if asked.Load() != 1 {
				t.Errorf("asked %d times", asked.Load())
			}
		})
	}
}

func TestWaitForASilentServerEndsWithTheContext(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() }) //nolint:errcheck // the test is over
	var connections atomic.Int64
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			t.Cleanup(func() { conn.Close() }) //nolint:errcheck // the test is over
		}
	}()
	_, key := gittest.NewKey(t, "")
	host, _ := gittest.NewKey(t, "")
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	known := fmt.Sprintf("[127.0.0.1]:%s %s", port, ssh.MarshalAuthorizedKey(host.PublicKey()))
	for _, scheme := range []string{"https", "ssh"} {
		connections.Store(0)
		pool := &git.Pool{}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		results := make(chan error)
		const stores = 10
		for i := range stores {
			config := git.Config{Name: "GitStateStore default", URL: fmt.Sprintf("%s://%s/%d.git", scheme, listener.Addr(), i), Now: time.Now}
			if scheme == "ssh" {
				config.Auth.SSH = git.SSH{PrivateKey: key, KnownHosts: known}
			}
			store, err := pool.Open(config)
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				_, err := store.Read(ctx)
				results <- err
			}()
		}
		<-ctx.Done()
		ended := time.Now()
		for range stores {
			wantError(t, <-results, statestore.ErrUnavailable)
		}
		if late := time.Since(ended); late > time.Second {
			t.Errorf("%s: %s after the context's end", scheme, late)
		}
		cancel()
		if n := connections.Load(); n == 0 || n > 4 {
			t.Errorf("%s: %d connections at once", scheme, n)
		}
	}
}

func TestHTTP2IsUsedIfTheServerOffersIt(t *testing.T) {
	repository := gittest.Bare(t)
	backend := gittest.Backend(t, filepath.Dir(repository))
	var major atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		major.Store(int64(r.ProtoMajor))
		backend.ServeHTTP(w, r)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	config := git.Config{
		URL: server.URL + "/store.git", Auth: git.Auth{Username: gittest.User, Password: gittest.Password},
		CABundle: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
	}
	storetest.Write(t, open(t, config), map[string]string{"a": "1"})
	if major.Load() != 2 {
		t.Errorf("HTTP/%d", major.Load())
	}
}
