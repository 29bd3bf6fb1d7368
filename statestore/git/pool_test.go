package git_test

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

func pooled(t *testing.T, config git.Config, paths ...string) []*git.Store {
	t.Helper()
	var pool git.Pool
	var stores []*git.Store
	for _, path := range paths {
		config.Name, config.Path, config.Now = "GitStateStore default", path, time.Now
		store, err := pool.Open(config)
		if err != nil {
			t.Fatal(err)
		}
		stores = append(stores, store)
	}
	return stores
}

func TestStoresOfOneBranchShareFetchedObjects(t *testing.T) {
	repository := gittest.Bare(t)
	gittest.Commit(t, repository, "main", map[string]string{"a/x": "1", "b/x": "2"})
	var count counter
	stores := pooled(t, intercepted(t, repository, count.count), "a", "./b/", "")
	storetest.Holds(t, stores[0], map[string]string{"x": "1"})
	storetest.Holds(t, stores[1], map[string]string{"x": "2"})
	storetest.Write(t, stores[0], map[string]string{"y": "3"})
	storetest.Holds(t, stores[2], map[string]string{"a/x": "1", "a/y": "3", "b/x": "2"})
	if n := count.fetches.Load(); n != 1 {
		t.Errorf("%d fetches", n)
	}
}

func TestStoreIsNotStaleAfterChangesOutsideItsPath(t *testing.T) {
	repository := gittest.Bare(t)
	gittest.Commit(t, repository, "main", map[string]string{"a/x": "1", "b/x": "1", "c": "1"})
	for name, config := range map[string]git.Config{"local": {URL: repository}, "https": served(t, repository)} {
		t.Run(name, func(t *testing.T) {
			stores := pooled(t, config, "a", "b", "new")
			var bases []statestore.Revision
			for _, store := range stores {
				bases = append(bases, storetest.Read(t, store).Revision)
			}
			gittest.Commit(t, repository, "main", map[string]string{"c": name})
			for i, store := range stores {
				_, err := store.Apply(t.Context(), statestore.ChangeSet{Base: bases[i], Write: testkit.Files(map[string]string{"mine": name})})
				if err != nil {
					t.Fatalf("store %d: %v", i, err)
				}
			}
			storetest.Holds(t, open(t, config), map[string]string{
				"a/x": "1", "b/x": "1", "c": name, "a/mine": name, "b/mine": name, "new/mine": name,
			})
			gittest.Fsck(t, repository)
		})
	}
}

func TestStoreIsStaleAfterChangesInsideItsPath(t *testing.T) {
	repository := gittest.Bare(t)
	gittest.Commit(t, repository, "main", map[string]string{"a/x": "1"})
	stores := pooled(t, git.Config{URL: repository}, "a", "a/deep", "")
	var bases []statestore.Revision
	for _, store := range stores {
		bases = append(bases, storetest.Read(t, store).Revision)
	}
	gittest.Commit(t, repository, "main", map[string]string{"a/deep/x": "2"})
	for i, store := range stores {
		_, err := store.Apply(t.Context(), statestore.ChangeSet{Base: bases[i], Write: testkit.Files(map[string]string{"mine": "m"})})
		wantError(t, err, statestore.ErrStale)
	}
	if n := gittest.Commits(t, repository, "main"); n != "2" {
		t.Errorf("%s commits", n)
	}
}

func TestStoresWithDifferentCredentialsShareNothing(t *testing.T) {
	repository := gittest.Bare(t)
	var pool git.Pool
	good := served(t, repository)
	good.Name, good.Now = "GitStateStore default", time.Now
	wrong := good
	wrong.Auth.Password = "wrong-s3cret"
	first, err := pool.Open(good)
	if err != nil {
		t.Fatal(err)
	}
	storetest.Write(t, first, map[string]string{"a": "1"})
	second, err := pool.Open(wrong)
	if err != nil {
		t.Fatal(err)
	}
	_, err = second.Read(t.Context())
	wantError(t, err, statestore.ErrDenied)
	runtime.KeepAlive(first)
}

func TestCommitMessageFollowsTheTemplate(t *testing.T) {
	repository := gittest.Bare(t)
	changes := statestore.ChangeSet{
		Write:      testkit.Files(map[string]string{"a": "1"}),
		Placements: []statestore.PlacementChange{{Action: statestore.Place, Work: "default/db", Destination: "worker-1"}},
	}
	for name, c := range map[string]struct{ template, want string }{
		"default": {"", "Place default/db on worker-1\n\nKratix-Work: default/db\nKratix-Destination: worker-1\nKratix-Schedule-Owner: site\\na\n"},
		"everything": {
			"chore({{.Store}}): {{.Subject}} [{{.Written}}/{{.Removed}}]\n{{range .Placements}}{{.Action}} {{.Work}} {{.Destination}}{{end}}\n\n{{.Trailers}}",
			"chore(GitStateStore default): Place default/db on worker-1 [1/0]\nPlace default/db worker-1\n\n" +
				"Kratix-Work: default/db\nKratix-Destination: worker-1\nKratix-Schedule-Owner: site\\na\n",
		},
		"a text": {"\n\nDeploy.\n", "Deploy.\n"},
	} {
		t.Run(name, func(t *testing.T) {
			config := git.Config{URL: repository, Branch: strings.ReplaceAll(name, " ", "-"), CreateBranch: true, Owner: "site\na", Committer: git.Author{Name: "bot", Email: "bot@example.com"}}
			if c.template != "" {
				var err error
				if config.Message, err = git.ParseMessage(c.template); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := open(t, config).Apply(t.Context(), changes); err != nil {
				t.Fatal(err)
			}
			got := gittest.Git(t, repository, "log", "-1", "--format=%an %cn %ce%n%B", config.Branch)
			if got != "kratix bot bot@example.com\n"+c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
	for _, bad := range []string{"{{.Subject", "{{.Nothing}}", "  \n", "{{index .Placements 9}}"} {
		if _, err := git.ParseMessage(bad); err == nil {
			t.Errorf("%q is a template", bad)
		}
	}
}

func TestProbeLeavesNothingBehind(t *testing.T) {
	for name, reach := range map[string]func(string) git.Config{
		"local": func(repository string) git.Config { return git.Config{URL: repository} },
		"https": func(repository string) git.Config { return served(t, repository) },
		"ssh": func(repository string) git.Config {
			config, _ := servedBySSH(t, repository)
			return config
		},
	} {
		t.Run(name, func(t *testing.T) {
			repository := gittest.Bare(t)
			checkProbe(t, repository, reach(repository))
		})
	}
	missing := t.TempDir() + "/new.git"
	if err := open(t, git.Config{URL: missing}).Probe(t.Context()); err != nil {
		t.Error(err)
	}
}

func checkProbe(t *testing.T, repository string, config git.Config) {
	t.Helper()
	store := open(t, config)
	if err := store.Probe(t.Context()); err != nil {
		t.Fatalf("an empty repository: %v", err)
	}
	storetest.Write(t, store, map[string]string{"a": "1"})
	before := gittest.Git(t, repository, "for-each-ref") + gittest.Git(t, repository, "count-objects", "-v")
	if err := store.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := gittest.Git(t, repository, "for-each-ref") + gittest.Git(t, repository, "count-objects", "-v"); after != before {
		t.Errorf("was\n%s\nis\n%s", before, after)
	}
	storetest.Holds(t, store, map[string]string{"a": "1"})
	gittest.Hook(t, repository, "pre-receive", "echo 'main is frozen' >&2; exit 1\n")
	told := wantError(t, store.Probe(t.Context()), statestore.ErrDenied)
	if !strings.Contains(told.Error(), "main is frozen") || told.Op != "probe" {
		t.Errorf("%v", &told)
	}
	gittest.Fsck(t, repository)
}

func TestDoubtfulSettingsAreWarnings(t *testing.T) {
	repository := gittest.Bare(t)
	gittest.Commit(t, repository, "main", map[string]string{
		".gitattributes":     "# big files\n*.bin filter=lfs diff=lfs merge=lfs -text\n*.md text\n",
		"p/.gitattributes":   "*.yaml eol=crlf\n",
		"p/q/.gitattributes": "*.txt eol=crlf\n",
	})
	insecure := served(t, repository)
	insecure.Insecure, insecure.CABundle = true, nil
	plain := git.Config{URL: strings.Replace(served(t, repository).URL, "https:", "http:", 1), Auth: insecure.Auth}
	lfs := ".gitattributes, line 2, gives *.bin the attribute filter=lfs: files are written as they are"
	for name, c := range map[string]struct {
		config git.Config
		want   []string
	}{
		"attributes above and below":   {git.Config{URL: repository, Path: "p"}, []string{lfs, "p/.gitattributes, line 1, gives *.yaml the attribute eol=crlf", "p/q/.gitattributes, line 1, gives *.txt"}},
		"attributes above alone":       {git.Config{URL: repository, Path: "p/q"}, []string{lfs, "p/.gitattributes, line 1", "p/q/.gitattributes, line 1"}},
		"attributes below":             {git.Config{URL: repository}, []string{lfs, "p/.gitattributes, line 1, gives *.yaml", "p/q/.gitattributes, line 1, gives *.txt"}},
		"beside are not ours":          {git.Config{URL: repository, Path: "other"}, []string{lfs}},
		"insecure":                     {withPath(insecure, "o"), []string{"certificate is not verified", lfs}},
		"what the opener has to say":   {git.Config{URL: repository, Path: "o", Warnings: []string{"odd Secret"}}, []string{"odd Secret", lfs}},
		"plain http, even if it fails": {plain, []string{"the credentials travel unencrypted"}},
	} {
		t.Run(name, func(t *testing.T) {
			state, _ := open(t, c.config).Read(t.Context())
			ok := len(state.Warnings) == len(c.want)
			for i := range min(len(state.Warnings), len(c.want)) {
				ok = ok && strings.Contains(state.Warnings[i], c.want[i])
			}
			if !ok {
				t.Errorf("got %q", state.Warnings)
			}
		})
	}
	store := open(t, served(t, repository, gittest.Partial()...))
	if storetest.Read(t, store); len(storetest.Read(t, store).Warnings) != 3 {
		t.Error("no warning from a blob on demand")
	}
	gittest.Commit(t, repository, "main", map[string]string{".gitattributes": "* text\n", "p/.gitattributes": "* text\n", "p/q/.gitattributes": "", "worker-1/.gitattributes": "*.yaml filter=lfs\n"})
	if state := storetest.Read(t, store); len(state.Warnings) != 1 || !strings.Contains(state.Warnings[0], "worker-1/.gitattributes, line 1, gives *.yaml the attribute filter=lfs") {
		t.Errorf("below a Destination: %q", state.Warnings)
	}
	gittest.Remove(t, repository, "main", "worker-1/.gitattributes")
	if state := storetest.Read(t, store); len(state.Warnings) != 0 {
		t.Errorf("still there: %q", state.Warnings)
	}
	storetest.Write(t, store, map[string]string{"x.bin": "a\r\nb"})
	if got := gittest.Git(t, repository, "cat-file", "blob", "main:x.bin"); got != "a\r\nb" {
		t.Errorf("%q", got)
	}
}

func withPath(config git.Config, path string) git.Config {
	config.Path = path
	return config
}

func TestRetryAfterIsRespected(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		header map[string]string
		wait   time.Duration
	}{
		"seconds": {map[string]string{"Retry-After": "120"}, 2 * time.Minute},
		"a date":  {map[string]string{"Retry-After": "Fri, 20 Nov 2026 10:01:00 GMT", "Date": "Fri, 20 Nov 2026 10:00:00 GMT"}, time.Minute},
		"a year":  {map[string]string{"Retry-After": "31536000"}, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			now := now
			var asked atomic.Int64
			busy := true
			repository := gittest.Bare(t)
			config := intercepted(t, repository, func(next http.Handler, w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				if !busy {
					next.ServeHTTP(w, r)
					return
				}
				for key, value := range c.header {
					w.Header().Set(key, value)
				}
				http.Error(w, "slow down", http.StatusTooManyRequests)
			})
			config.Name, config.Now = "GitStateStore default", func() time.Time { return now }
			store, err := git.Open(config)
			if err != nil {
				t.Fatal(err)
			}
			_, err = store.Read(t.Context())
			if told := wantError(t, err, statestore.ErrUnavailable); !strings.Contains(told.Error(), "slow down") {
				t.Error(err)
			}
			busy = false
			now = now.Add(c.wait - time.Second)
			_, err = store.Read(t.Context())
			want := fmt.Sprintf("asked for no more requests before %s UTC", now.Add(time.Second).Format(time.TimeOnly))
			if told := wantError(t, err, statestore.ErrUnavailable); !strings.Contains(told.Error(), want) || asked.Load() != 1 {
				t.Errorf("%v, want %q; asked %d times", err, want, asked.Load())
			}
			now = now.Add(time.Second)
			storetest.Read(t, store)
		})
	}
}

func TestRedirectIsFollowedAndReported(t *testing.T) {
	repository := gittest.Bare(t)
	config := intercepted(t, repository, func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/old/") {
			http.Redirect(w, r, strings.Replace(r.URL.String(), "/old/", "/", 1), http.StatusMovedPermanently)
			return
		}
		next.ServeHTTP(w, r)
	})
	config.URL = strings.Replace(config.URL, "/store.git", "/old/store.git", 1)
	store := open(t, config)
	storetest.Write(t, store, map[string]string{"a": "1"})
	state := storetest.Read(t, store)
	want := "the repository has moved to " + strings.TrimSuffix(strings.Replace(config.URL, "/old/", "/", 1), "/") + ": set spec.url to it"
	said := strings.Join(state.Warnings, "|")
	if !strings.Contains(said, want) || strings.Contains(said, gittest.Password) {
		t.Errorf("%q, want %q", said, want)
	}
}

func TestRedirectToAnotherHostGetsNoCredentials(t *testing.T) {
	repository := gittest.Bare(t)
	target := served(t, repository)
	var shown atomic.Bool
	there := intercepted(t, repository, func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		_, _, ok := r.BasicAuth()
		shown.Store(shown.Load() || ok)
		next.ServeHTTP(w, r)
	})
	config := intercepted(t, repository, func(_ http.Handler, w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, strings.TrimSuffix(there.URL, "/store.git/")+r.URL.String(), http.StatusFound)
	})
	config.Auth = target.Auth
	for _, err := range both(t, config) {
		told := wantError(t, err, statestore.ErrDenied)
		if !strings.Contains(told.Fix, "another host") || !strings.Contains(told.Fix, "spec.url") {
			t.Errorf("%v (fix %q)", err, told.Fix)
		}
	}
	if shown.Load() {
		t.Error("the other host saw the credentials")
	}
}
