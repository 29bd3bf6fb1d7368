package git_test

import (
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

type asked struct {
	mu       sync.Mutex
	requests []string
}

func (a *asked) record(next http.Handler, w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.requests = append(a.requests, strings.TrimSpace(r.Method+" "+path.Base(r.URL.Path)+" "+r.URL.RawQuery))
	a.mu.Unlock()
	next.ServeHTTP(w, r)
}

func (a *asked) sinceLastCall() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	said := strings.Join(a.requests, ", ")
	a.requests = nil
	return said
}

const (
	question = "GET refs service=git-receive-pack"
	answered = "POST git-receive-pack"
)

func writeOne(t *testing.T, store statestore.Store, base statestore.Revision, name, content string) (statestore.Revision, error) {
	t.Helper()
	return store.Apply(t.Context(), statestore.ChangeSet{Base: base, Write: testkit.Files(map[string]string{name: content})})
}

func TestPushGoesToTheLastKnownHeadWithoutAnAdvertisement(t *testing.T) {
	repository := gittest.Bare(t)
	gittest.Commit(t, repository, "main", map[string]string{"a/x": "1", "foreign": "0"})
	var asked asked
	stores := pooled(t, intercepted(t, repository, asked.record), "a")
	store := stores[0]
	base := storetest.Read(t, store).Revision
	asked.sinceLastCall()
	put := func(content, want string) {
		t.Helper()
		next, err := writeOne(t, store, base, "mine", content)
		if err != nil {
			t.Fatal(err)
		}
		if got := asked.sinceLastCall(); got != want {
			t.Errorf("%s: asked %s, want %s", content, got, want)
		}
		base = next
	}
	put("1", question+", "+answered)
	put("2", answered)
	put("3", answered)

	base = storetest.Read(t, store).Revision
	gittest.Commit(t, repository, "main", map[string]string{"foreign": "1"})
	asked.sinceLastCall()
	put("4", answered+", "+question+", GET refs service=git-upload-pack, POST git-upload-pack, "+answered)

	base = storetest.Read(t, store).Revision
	gittest.Commit(t, repository, "main", map[string]string{"a/x": "2"})
	asked.sinceLastCall()
	_, err := writeOne(t, store, base, "mine", "5")
	wantError(t, err, statestore.ErrStale)
	if got := asked.sinceLastCall(); strings.Count(got, answered) != 1 {
		t.Errorf("asked %s", got)
	}
	storetest.Holds(t, store, map[string]string{"x": "2", "mine": "4"})
	gittest.Fsck(t, repository)
}

func TestRejectionOfADirectPushIsReported(t *testing.T) {
	repository := gittest.Bare(t)
	var asked asked
	var refuse func(http.ResponseWriter)
	config := intercepted(t, repository, func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		if refuse != nil && strings.Contains(r.URL.String(), "receive-pack") {
			refuse(w)
			return
		}
		asked.record(next, w, r)
	})
	store := open(t, config)
	storetest.Write(t, store, map[string]string{"a": "1"})
	base := storetest.Read(t, store).Revision

	gittest.Hook(t, repository, "pre-receive", "echo 'not today' >&2; exit 1\n")
	asked.sinceLastCall()
	_, err := writeOne(t, store, base, "a", "2")
	if told := wantError(t, err, statestore.ErrDenied); !strings.Contains(told.Remote, "not today") {
		t.Errorf("%v (remote %q)", err, told.Remote)
	}
	if got := asked.sinceLastCall(); got != answered+", "+question+", "+answered { // the third pushes the branch unchanged
		t.Errorf("asked %s", got)
	}
	gittest.Hook(t, repository, "pre-receive", "exit 0\n")

	for code, kind := range map[int]error{
		http.StatusUnauthorized: statestore.ErrDenied, http.StatusForbidden: statestore.ErrDenied,
		http.StatusNotFound: statestore.ErrMisconfigured, http.StatusBadGateway: statestore.ErrUnavailable,
	} {
		times := 0
		refuse = func(w http.ResponseWriter) { times++; http.Error(w, "go away", code) }
		_, err := writeOne(t, store, base, "a", strconv.Itoa(code))
		wantError(t, err, kind)
		if errors.Is(kind, statestore.ErrUnavailable) && times != 1 {
			t.Errorf("%d: a server in trouble was asked %d times", code, times)
		}
		refuse = nil
		if base, err = writeOne(t, store, base, "a", fmt.Sprint("after ", code)); err != nil {
			t.Fatal(err)
		}
	}
	gittest.Fsck(t, repository)
}

func styled(t *testing.T, pool *git.Pool, config git.Config, name, dir string) *git.Store {
	t.Helper()
	config.Name, config.Path, config.Now = "GitStateStore "+name, dir, time.Now
	store, err := pool.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func partOf(t *testing.T, store *git.Store, work string, files map[string]string) statestore.ViewChanges {
	t.Helper()
	return statestore.ViewChanges{View: store.View(), Changes: statestore.ChangeSet{
		Base: storetest.Read(t, store).Revision, Write: testkit.Files(files),
		Placements: []statestore.PlacementChange{{Action: statestore.Place, Work: "default/" + work, Destination: "worker-" + work}},
	}}
}

func TestStoresOfOneLocationAreWrittenInOneCommit(t *testing.T) {
	testkit.Slow(t)
	for name, reach := range map[string]func(string) git.Config{
		"local": func(repository string) git.Config { return git.Config{URL: repository} },
		"https": func(repository string) git.Config { return served(t, repository) },
	} {
		t.Run(name, func(t *testing.T) {
			repository := gittest.Bare(t)
			var pool git.Pool
			config := reach(repository)
			config.Message, _ = git.ParseMessage("{{.Subject}} in {{.Store}}\n\n{{.Trailers}}")
			a, b, root := styled(t, &pool, config, "a", "a"), styled(t, &pool, config, "b", "deep/b"), styled(t, &pool, config, "root", "")
			for round := range 3 {
				gittest.Commit(t, repository, "main", map[string]string{"foreign": strconv.Itoa(round)})
				content := map[string]string{"x": strconv.Itoa(round)}
				outcomes := a.View().Location.Write(t.Context(), []statestore.ViewChanges{partOf(t, a, "1", content), partOf(t, b, "2", content), partOf(t, root, "3", content)})
				head := statestore.Outcome{Revision: statestore.Revision(gittest.Git(t, repository, "rev-parse", "main"))}
				if !slices.Equal(outcomes, []statestore.Outcome{head, head, head}) {
					t.Errorf("%v, want three times %v", outcomes, head)
				}
				if want, got := strconv.Itoa(2*(round+1)), gittest.Commits(t, repository, "main"); got != want {
					t.Errorf("%s commits, want %s", got, want)
				}
			}
			storetest.Holds(t, root, map[string]string{"a/x": "2", "deep/b/x": "2", "x": "2", "foreign": "2"})
			const want = "Place 3 placements in GitStateStore a, GitStateStore b, GitStateStore root\n\n" +
				"Kratix-Work: default/1\nKratix-Work: default/2\nKratix-Work: default/3\n" +
				"Kratix-Destination: worker-1\nKratix-Destination: worker-2\nKratix-Destination: worker-3"
			if got := strings.TrimSpace(gittest.Git(t, repository, "log", "-1", "--format=%B", "main")); got != want {
				t.Errorf("message\n%s\nwant\n%s", got, want)
			}
			gittest.Fsck(t, repository)
		})
	}
}

func TestFailingStoreDoesNotBlockTheOthers(t *testing.T) {
	for name, c := range map[string]struct {
		file    string
		between map[string]string
		kind    error
		says    string
	}{
		"a conflict": {"x/y", nil, statestore.ErrContentRefused, "write GitStateStore b: the store refused the content: b/x: a file is where a directory is needed"},
		"stale":      {"x", map[string]string{"b/x": "theirs"}, statestore.ErrStale, "write GitStateStore b: the store has moved on"},
	} {
		t.Run(name, func(t *testing.T) {
			repository := gittest.Bare(t)
			gittest.Commit(t, repository, "main", map[string]string{"a/x": "1", "b/x": "1"})
			var pool git.Pool
			config := git.Config{URL: repository}
			a, b := styled(t, &pool, config, "a", "a"), styled(t, &pool, config, "b", "b")
			parts := []statestore.ViewChanges{partOf(t, a, "1", map[string]string{"x": "2"}), partOf(t, b, "2", map[string]string{c.file: "2"})}
			want := map[string]string{"a/x": "2", "b/x": "1"}
			if c.between != nil {
				gittest.Commit(t, repository, "main", c.between)
				want["b/x"] = c.between["b/x"]
			}
			outcomes := a.View().Location.Write(t.Context(), parts)
			if outcomes[0].Err != nil || !errors.Is(outcomes[1].Err, c.kind) || outcomes[1].Err.Error() != c.says {
				t.Errorf("%v", outcomes)
			}
			storetest.Holds(t, open(t, config), want)
			gittest.Fsck(t, repository)
		})
	}
}

func TestOnlyStoresOfEqualStyleShareACommit(t *testing.T) {
	repository := gittest.Bare(t)
	var pool git.Pool
	config := git.Config{URL: repository}
	one := styled(t, &pool, config, "one", "a")
	for name, c := range map[string]struct {
		change func(*git.Config)
		joins  bool
	}{
		"another path":      {func(c *git.Config) { c.Path = "b" }, true},
		"a slash more":      {func(c *git.Config) { c.URL += "/" }, true},
		"another branch":    {func(c *git.Config) { c.Branch = "dev" }, false},
		"another author":    {func(c *git.Config) { c.Author.Name = "someone" }, false},
		"another committer": {func(c *git.Config) { c.Committer.Name = "someone" }, false},
		"another owner":     {func(c *git.Config) { c.Owner = "site-b" }, false},
		"a signature":       {func(c *git.Config) { _, c.SigningKey.PrivateKey = gittest.NewKey(t, "") }, false},
		"a template":        {func(c *git.Config) { c.Message, _ = git.ParseMessage("x") }, false},
		"trailers":          {func(c *git.Config) { c.Trailers, _ = git.ParseTrailers([]string{"Ticket: x"}) }, false},
		"authors":           {func(c *git.Config) { c.AuthorAnnotation = "example.com/by" }, false},
		"a password":        {func(c *git.Config) { c.Auth.Password = "x" }, false},
		"another place":     {func(c *git.Config) { c.URL = parent(repository) }, false},
	} {
		other := config
		c.change(&other)
		store := styled(t, &pool, other, "other", other.Path)
		if (store.View().Location == one.View().Location) != c.joins {
			t.Errorf("%s: joins %t, want %t", name, !c.joins, c.joins)
		}
	}
	gittest.Commit(t, repository, "main", map[string]string{"foreign": "1"})
	gittest.Git(t, repository, "branch", "dev", "main")
	other := config
	other.Branch = "dev"
	outcomes := one.View().Location.Write(t.Context(), []statestore.ViewChanges{
		partOf(t, one, "1", map[string]string{"x": "1"}), partOf(t, styled(t, &pool, other, "dev", ""), "2", map[string]string{"x": "1"}),
	})
	if after := gittest.Git(t, repository, "rev-list", "--all", "--count"); after != "3" || outcomes[0].Err != nil || outcomes[1].Err != nil {
		t.Errorf("%s commits, %v", after, outcomes)
	}
}
