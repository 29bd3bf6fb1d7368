package git_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

func TestCommitOfAnotherWriterStaysAndMakesAWriteStale(t *testing.T) {
	repository := gittest.Bare(t)
	store := open(t, git.Config{URL: repository})
	base := storetest.Write(t, store, map[string]string{"a": "1"})
	gittest.Commit(t, repository, "main", map[string]string{"foreign": "f"})

	changes := statestore.ChangeSet{Base: base, Write: testkit.Files(map[string]string{"b": "2"})}
	_, err := store.Apply(t.Context(), changes)
	wantError(t, err, statestore.ErrStale)
	if n := gittest.Commits(t, repository, "main"); n != "2" {
		t.Errorf("%s commits", n)
	}
	storetest.Write(t, store, map[string]string{"b": "2"})
	storetest.Holds(t, store, map[string]string{"a": "1", "b": "2", "foreign": "f"})
	gittest.Fsck(t, repository)
}

func TestBranchThatMovesDuringThePushIsStale(t *testing.T) {
	repository := gittest.Bare(t)
	var stranger atomic.Pointer[string]
	config := intercepted(t, repository, func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/git-receive-pack") {
			if content := stranger.Swap(nil); content != nil {
				gittest.Commit(t, repository, "main", map[string]string{"foreign": *content})
			}
		}
		next.ServeHTTP(w, r)
	})
	store := open(t, config)
	foreign := func(content string) {
		base := storetest.Read(t, store).Revision
		stranger.Store(&content)
		_, err := store.Apply(t.Context(), statestore.ChangeSet{Base: base, Write: testkit.Files(map[string]string{"mine": "m"})})
		wantError(t, err, statestore.ErrStale)
	}
	foreign("the branch appears during the push")
	storetest.Holds(t, store, map[string]string{"foreign": "the branch appears during the push"})
	storetest.Write(t, store, map[string]string{"a": "1"})
	foreign("the branch moves during the push")
	storetest.Holds(t, store, map[string]string{"a": "1", "foreign": "the branch moves during the push"})
	gittest.Fsck(t, repository)
}

func TestChangesWithoutADifferenceMakeNoCommit(t *testing.T) {
	repository := gittest.Bare(t)
	store := open(t, git.Config{URL: repository})
	base := storetest.Write(t, store, map[string]string{"a": "1", "d/b": "2"})
	for name, changes := range map[string]statestore.ChangeSet{
		"the same bytes":       {Base: base, Write: testkit.Files(map[string]string{"a": "1", "d/b": "2"})},
		"a missing path":       {Base: base, Remove: testkit.Paths("x", "d/x", "d", "a/b")},
		"no file, a placement": {Base: base, Placements: []statestore.PlacementChange{{Action: statestore.Update, Work: "a/b", Destination: "c"}}},
	} {
		if got, err := store.Apply(t.Context(), changes); err != nil || got != base {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if n := gittest.Commits(t, repository, "main"); n != "1" {
		t.Errorf("%s commits", n)
	}
}

func TestCommitNamesAuthorDateAndPlacements(t *testing.T) {
	repository := gittest.Bare(t)
	store := open(t, git.Config{URL: repository, Author: git.Author{Name: "A <B>\n", Email: "a@example.com"}})
	_, err := store.Apply(t.Context(), statestore.ChangeSet{
		Write:      testkit.Files(map[string]string{"a": "1"}),
		Placements: []statestore.PlacementChange{{Action: statestore.Place, Work: "default/db", Destination: "worker-1"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "A B|a@example.com|A B|2026-11-20T12:00:00+00:00|Place default/db on worker-1|default/db"
	got := gittest.Git(t, repository, "log", "-1", "--format=%an|%ae|%cn|%aI|%s|%(trailers:key=Kratix-Work,valueonly,separator=%x2C)", "main")
	if strings.Replace(got, "12:00:00Z", "12:00:00+00:00", 1) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	gittest.Fsck(t, repository)
}

func TestSymlinksAndSubmodulesSurvive(t *testing.T) {
	repository := gittest.Bare(t)
	worktree := gittest.Clone(t, repository, "main")
	script := filepath.Join(worktree, "d", "run.sh")
	for _, err := range []error{
		os.MkdirAll(filepath.Dir(script), 0o755),
		os.WriteFile(script, []byte("#!/bin/sh\n"), 0o755),
		os.Symlink("run.sh", filepath.Join(worktree, "d", "link")),
		os.Symlink("..", filepath.Join(worktree, "d", "up")),
		os.WriteFile(filepath.Join(worktree, "d", `back\slash`), []byte("x"), 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	gittest.Git(t, worktree, "update-index", "--add", "--cacheinfo", "160000,0123456789012345678901234567890123456789,d/module")
	gittest.Git(t, worktree, "add", "d/run.sh", "d/link", "d/up", `d/back\slash`)
	gittest.Git(t, worktree, "commit", "--quiet", "--message", "all kinds")
	gittest.Git(t, worktree, "push", "--quiet", "origin", "HEAD")

	store := open(t, git.Config{URL: repository})
	storetest.Holds(t, store, map[string]string{"d/run.sh": "#!/bin/sh\n"})
	obstacles := func() string {
		return fmt.Sprint(slices.Collect(storetest.Read(t, store).Obstacles.Below(tree.Path{})))
	}
	const all = "[{d/link a symlink false} {d/module a submodule false} {d/up a symlink false}]"
	if got := obstacles(); got != all {
		t.Errorf("obstacles %s", got)
	}
	storetest.Write(t, store, map[string]string{"d/a": "1", "d/run.sh": "#!/bin/bash\n"}, "d/link", "d/module", "d/up/x")
	storetest.Holds(t, store, map[string]string{"d/a": "1", "d/run.sh": "#!/bin/bash\n"})
	var modes []string
	for line := range strings.SplitSeq(gittest.Git(t, repository, "ls-tree", "main:d"), "\n") {
		mode, _, _ := strings.Cut(line, " ")
		_, name, _ := strings.Cut(line, "\t")
		modes = append(modes, mode+" "+name)
	}
	want := `100644 a|100644 "back\\slash"|120000 link|160000 module|100755 run.sh|120000 up`
	if got := strings.Join(modes, "|"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for name, why := range map[string]string{
		"d":          "a directory is where a file is needed",
		"d/a/b":      "a file is where a directory is needed",
		"d/link":     "a symlink is where a file is needed",
		"d/link/x":   "a symlink is where a directory is needed",
		"d/module":   "a submodule is where a file is needed",
		"d/module/x": "a submodule is where a directory is needed",
	} {
		base := storetest.Read(t, store).Revision
		_, err := store.Apply(t.Context(), statestore.ChangeSet{Base: base, Write: testkit.Files(map[string]string{name: "x", "other": "y"})})
		told := wantError(t, err, statestore.ErrContentRefused)
		if !strings.Contains(told.Error(), why) || told.Fix == "" {
			t.Errorf("%s: %v (fix %q), want %q", name, err, told.Fix, why)
		}
	}
	if n := gittest.Commits(t, repository, "main"); n != "2" {
		t.Errorf("%s commits", n)
	}
	gittest.Git(t, worktree, "pull", "--quiet", "--ff-only")
	gittest.Git(t, worktree, "rm", "--quiet", "--cached", "d/link", "d/module")
	gittest.Git(t, worktree, "commit", "--quiet", "--message", "fewer")
	gittest.Git(t, worktree, "push", "--quiet", "origin", "HEAD")
	if got := obstacles(); got != "[{d/up a symlink false}]" {
		t.Errorf("obstacles %s, once others are gone", got)
	}
}

func TestFileAndDirectoryAtOnePathAreRejected(t *testing.T) {
	repository := filepath.Join(t.TempDir(), "new.git")
	store := open(t, git.Config{URL: repository})
	for _, names := range [][2]string{{"a", "a/b"}, {"a", "a/b/c"}} {
		_, err := store.Apply(t.Context(), statestore.ChangeSet{Write: testkit.Files(map[string]string{names[0]: "1", names[1]: "2"})})
		wantError(t, err, statestore.ErrContentRefused)
	}
	if _, err := os.Stat(repository); err == nil {
		t.Error("the repository was made")
	}
}

func TestMissingBranchStartsFromTheDefaultBranch(t *testing.T) {
	repository := gittest.Bare(t)
	gittest.Commit(t, repository, "main", map[string]string{"readme": "r"})
	for _, config := range []git.Config{{URL: repository, Branch: "flux/prod"}, withBranch(served(t, repository), "flux/https")} {
		config.CreateBranch = true
		store := open(t, config)
		storetest.Holds(t, store, map[string]string{"readme": "r"})
		if got, want := storetest.Read(t, store).Revision, gittest.Git(t, repository, "rev-parse", "main"); string(got) != want {
			t.Errorf("revision %q, want %q", got, want)
		}
		_, err := store.Apply(t.Context(), statestore.ChangeSet{Write: testkit.Files(map[string]string{"a": "1"})})
		wantError(t, err, statestore.ErrStale)
		storetest.Write(t, store, map[string]string{"a": "1"})
		storetest.Holds(t, open(t, config), map[string]string{"readme": "r", "a": "1"})
		if n := gittest.Commits(t, repository, config.Branch); n != "2" {
			t.Errorf("%s commits", n)
		}
	}
	if n := gittest.Commits(t, repository, "main"); n != "1" {
		t.Errorf("main has %s commits", n)
	}
}

func TestMissingDefaultBranchStartsAnOrphanBranch(t *testing.T) {
	repository := gittest.Bare(t)
	gittest.Commit(t, repository, "other", map[string]string{"o": "o"})
	store := open(t, git.Config{URL: repository, CreateBranch: true})
	storetest.Holds(t, store, map[string]string{})
	storetest.Write(t, store, map[string]string{"a": "1"})
	storetest.Holds(t, store, map[string]string{"a": "1"})
	if n := gittest.Commits(t, repository, "main"); n != "1" {
		t.Errorf("%s commits", n)
	}
}

func TestDeletedOrRewrittenBranchIsReadAgain(t *testing.T) {
	repository := gittest.Bare(t)
	store := open(t, git.Config{URL: repository})
	storetest.Write(t, store, map[string]string{"a": "1"})
	first := storetest.Read(t, store).Revision
	second := storetest.Write(t, store, map[string]string{"a": "2", "b": "2"})

	gittest.Git(t, repository, "update-ref", "refs/heads/main", string(first))
	_, err := store.Apply(t.Context(), statestore.ChangeSet{Base: second, Write: testkit.Files(map[string]string{"c": "3"})})
	wantError(t, err, statestore.ErrStale)
	storetest.Holds(t, store, map[string]string{"a": "1"})

	gittest.Git(t, repository, "update-ref", "-d", "refs/heads/main")
	_, err = store.Apply(t.Context(), statestore.ChangeSet{Base: first, Write: testkit.Files(map[string]string{"c": "3"})})
	wantError(t, err, statestore.ErrStale)
	storetest.Holds(t, store, map[string]string{})
	storetest.Write(t, store, map[string]string{"d": "4"})
	storetest.Holds(t, open(t, git.Config{URL: repository}), map[string]string{"d": "4"})
	gittest.Fsck(t, repository)
}

func TestFirstWriteCreatesALocalRepository(t *testing.T) {
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("empty", 0o755); err != nil {
		t.Fatal(err)
	}
	for url, dir := range map[string]string{
		"file://./deep/er/store.git":  "deep/er/store.git",
		"./dot.git":                   "dot.git",
		here + "/absolute":            "absolute",
		"file://" + here + "/url.git": "url.git",
		"./empty":                     "empty",
	} {
		store := open(t, git.Config{URL: url, Branch: "trunk"})
		storetest.Holds(t, store, map[string]string{})
		if entries, _ := os.ReadDir(dir); len(entries) > 0 {
			t.Errorf("%s: Read made something", url)
		}
		storetest.Write(t, store, map[string]string{"a": "1"})
		storetest.Holds(t, store, map[string]string{"a": "1"})
		if head := gittest.Git(t, dir, "symbolic-ref", "HEAD"); head != "refs/heads/trunk" {
			t.Errorf("%s: HEAD is %s", url, head)
		}
		if bare := gittest.Git(t, dir, "rev-parse", "--is-bare-repository"); bare != "true" {
			t.Errorf("%s: bare is %s", url, bare)
		}
		gittest.Fsck(t, filepath.Join(here, dir))
	}
}

func TestOneOfTwoFirstWritersCreatesTheRepository(t *testing.T) {
	for range 5 {
		repository := filepath.Join(t.TempDir(), "new.git")
		var group sync.WaitGroup
		want := map[string]string{}
		for writer := range 3 {
			name := fmt.Sprint("f", writer)
			want[name] = "x"
			group.Go(func() {
				store := open(t, git.Config{URL: repository})
				for range 100 {
					state, err := store.Read(t.Context())
					if err == nil {
						_, err = store.Apply(t.Context(), statestore.ChangeSet{Base: state.Revision, Write: testkit.Files(map[string]string{name: "x"})})
					}
					if err == nil {
						return
					}
					if !errors.Is(err, statestore.ErrStale) {
						t.Error(err)
						return
					}
				}
				t.Error("a writer never got through")
			})
		}
		group.Wait()
		storetest.Holds(t, open(t, git.Config{URL: repository}), want)
		if left, _ := os.ReadDir(filepath.Dir(repository)); len(left) != 1 {
			t.Errorf("left behind: %v", left)
		}
	}
}

func TestStaleWriteCreatesNoRepository(t *testing.T) {
	repository := filepath.Join(t.TempDir(), "new.git")
	_, err := open(t, git.Config{URL: repository}).Apply(t.Context(), statestore.ChangeSet{Base: "old", Write: testkit.Files(map[string]string{"a": "1"})})
	wantError(t, err, statestore.ErrStale)
	if _, err := os.Stat(repository); err == nil {
		t.Error("the repository was made")
	}
}

func TestEveryFormOfThePathIsTheSameDirectory(t *testing.T) {
	repository := gittest.Bare(t)
	gittest.Commit(t, repository, "main", map[string]string{"above": "x", "a/bc/d": "x"})
	for i, spelling := range []string{"a/b", "/a/b", "a/b/", "./a/b/", "//a/./b"} {
		storetest.Write(t, open(t, git.Config{URL: repository, Path: spelling}), map[string]string{fmt.Sprintf("f%d", i): "x"})
	}
	want := map[string]string{"f0": "x", "f1": "x", "f2": "x", "f3": "x", "f4": "x"}
	storetest.Holds(t, open(t, git.Config{URL: repository, Path: "a/b"}), want)
	below := map[string]string{"above": "x", "a/bc/d": "x"}
	for name := range want {
		below["a/b/"+name] = "x"
	}
	for _, root := range []string{"", ".", "/", "./"} {
		storetest.Holds(t, open(t, git.Config{URL: repository, Path: root}), below)
	}
	_, err := open(t, git.Config{URL: repository, Path: "above/x"}).Read(t.Context())
	wantError(t, err, statestore.ErrMisconfigured)
}

// TestRevertToDroppedContentIsFetchedAlone reverts to a content that the client no longer has.
func TestRevertToDroppedContentIsFetchedAlone(t *testing.T) {
	repository := gittest.Bare(t)
	big := noise(20_000)
	gittest.Commit(t, repository, "main", map[string]string{"a": "old", "d/b": "old b", "big": big})
	gittest.Commit(t, repository, "main", map[string]string{"a": "new", "d/b": "new b"})
	var fetches, bytes atomic.Int64
	config := intercepted(t, repository, func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/git-upload-pack") {
			fetches.Add(1)
			w = counted{w, &bytes}
		}
		next.ServeHTTP(w, r)
	})
	for _, config := range []git.Config{{URL: repository}, config} {
		store := open(t, config)
		storetest.Holds(t, store, map[string]string{"a": "new", "d/b": "new b", "big": big})
		storetest.Write(t, store, map[string]string{"mine": "m"})
		fetches.Store(0)
		bytes.Store(0)
		worktree := gittest.Clone(t, repository, "main")
		gittest.Git(t, worktree, "checkout", "--quiet", "HEAD~2", "--", "a", "d/b")
		if err := os.WriteFile(filepath.Join(worktree, "big"), []byte(big+"and a line\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		gittest.Push(t, worktree)
		storetest.Holds(t, store, map[string]string{"a": "old", "d/b": "old b", "mine": "m", "big": big + "and a line\n"})
		if bytes.Load() > 5_000 {
			t.Errorf("%d bytes for two small files and a line", bytes.Load())
		}
		gittest.Git(t, repository, "update-ref", "refs/heads/main", "main~2")
		storetest.Holds(t, store, map[string]string{"a": "new", "d/b": "new b", "big": big})
	}
	if fetches.Load() != 2 {
		t.Errorf("%d fetches for two foreign moves", fetches.Load())
	}
}

func TestOnlyNewCommitsAreFetched(t *testing.T) {
	repository := gittest.Bare(t)
	var fetches atomic.Int64
	config := intercepted(t, repository, func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/git-upload-pack") {
			fetches.Add(1)
		}
		next.ServeHTTP(w, r)
	})
	store := open(t, config)
	for i := range 3 {
		storetest.Write(t, store, map[string]string{strconv.Itoa(i): "x"})
		storetest.Read(t, store)
	}
	if fetches.Load() != 0 {
		t.Errorf("%d fetches of our own commits", fetches.Load())
	}
	gittest.Commit(t, repository, "main", map[string]string{"foreign": "f"})
	storetest.Holds(t, store, map[string]string{"0": "x", "1": "x", "2": "x", "foreign": "f"})
	storetest.Read(t, store)
	if fetches.Load() != 1 {
		t.Errorf("%d fetches of one foreign commit", fetches.Load())
	}
}

func TestRandomTreesAreStoredUnchanged(t *testing.T) {
	repository := gittest.Bare(t)
	store := open(t, git.Config{URL: repository, Path: "p"})
	other := open(t, git.Config{URL: repository, Path: "p"})
	random := rand.New(rand.NewPCG(1, 2))
	names := []string{"a", "a-b", "a.b", "a0", "b", "ab"}
	for round := range 40 {
		want := map[string]string{}
		grow(random, names, "", 3, want)
		changes := statestore.Diff(storetest.Read(t, store), testkit.Files(want), func(tree.Path) bool { return true })
		if _, err := store.Apply(t.Context(), changes); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		storetest.Holds(t, store, want)
		storetest.Holds(t, other, want)
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
	gittest.Fsck(t, repository)
}

func grow(random *rand.Rand, names []string, at string, depth int, into map[string]string) {
	for _, name := range names {
		switch n := random.IntN(6); {
		case n < 2:
			into[at+name] = strconv.Itoa(random.IntN(3))
		case n == 2 && depth > 0:
			grow(random, names, at+name+"/", depth-1, into)
		}
	}
}

func noise(n int) string {
	random := rand.New(rand.NewPCG(3, 4))
	text := make([]byte, n)
	for i := range text {
		text[i] = byte(' ' + random.IntN(95))
	}
	return string(text)
}

func withBranch(config git.Config, branch string) git.Config {
	config.Branch = branch
	return config
}

func intercepted(t *testing.T, repository string, see func(http.Handler, http.ResponseWriter, *http.Request), settings ...string) git.Config {
	t.Helper()
	backend := gittest.Backend(t, filepath.Dir(repository), settings...)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { see(backend, w, r) }))
	t.Cleanup(server.Close)
	return git.Config{
		URL:  server.URL + "/" + filepath.Base(repository) + "/",
		Auth: git.Auth{Username: gittest.User, Password: gittest.Password},
	}
}

type counted struct {
	http.ResponseWriter
	bytes *atomic.Int64
}

func (c counted) Write(p []byte) (int, error) {
	c.bytes.Add(int64(len(p)))
	return c.ResponseWriter.Write(p)
}
