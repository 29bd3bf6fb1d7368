package git_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

func TestMain(m *testing.M) {
	if url := os.Getenv("KRATIX_SCHEDULE_WRITER"); url != "" {
		os.Exit(writeForEver(url, os.Getenv("KRATIX_SCHEDULE_CA")))
	}
	if url := os.Getenv("KRATIX_SCHEDULE_PROXIED"); url != "" {
		os.Exit(throughProxy(url, os.Getenv("KRATIX_SCHEDULE_CA")))
	}
	if url := os.Getenv("KRATIX_SCHEDULE_MEASURE"); url != "" {
		os.Exit(measure(url, os.Getenv("KRATIX_SCHEDULE_CA")))
	}
	os.Exit(m.Run())
}

func TestConcurrentWritersAndAGitClientLoseNoCommit(t *testing.T) {
	repository := gittest.Bare(t)
	writeTogether(t, repository, served(t, repository), 8, 4, 3)
}

func writeTogether(t *testing.T, repository string, config git.Config, writers, commits, foreign int) {
	t.Helper()
	gittest.Commit(t, repository, "main", map[string]string{"readme": "r"})
	want := map[string]string{"readme": "r"}
	var group sync.WaitGroup
	for writer := range writers {
		store := open(t, config)
		for i := range commits {
			want[fmt.Sprintf("w%d/f%d", writer, i)] = "x"
		}
		group.Go(func() {
			for i := range commits {
				writeUntilCurrent(t, store, fmt.Sprintf("w%d/f%d", writer, i))
			}
		})
	}
	worktree := gittest.Clone(t, repository, "main")
	for i := range foreign {
		name := fmt.Sprintf("foreign%d", i)
		want[name] = name
		pushForeign(t, worktree, name)
	}
	group.Wait()
	storetest.Holds(t, open(t, config), want)
	if n := gittest.Commits(t, repository, "main"); n != strconv.Itoa(1+writers*commits+foreign) {
		t.Errorf("%s commits", n)
	}
	if merges := gittest.Git(t, repository, "rev-list", "--count", "--min-parents=2", "main"); merges != "0" {
		t.Errorf("%s merges", merges)
	}
	gittest.Fsck(t, repository)
}

func writeUntilCurrent(t *testing.T, store *git.Store, name string) {
	file := []tree.File{{Path: testkit.Path(name), Content: []byte("x")}}
	for try := range 1000 {
		state, err := store.Read(t.Context())
		if err == nil {
			_, err = store.Apply(t.Context(), statestore.ChangeSet{Base: state.Revision, Write: file})
		}
		if err == nil {
			return
		}
		if !errors.Is(err, statestore.ErrStale) {
			t.Errorf("%s: %v", name, err)
			return
		}
		time.Sleep(rand.N(50 * time.Millisecond << min(try+1, 4))) // random backoff
	}
	t.Errorf("%s was never written", name)
}

func pushForeign(t *testing.T, worktree, name string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(worktree, name), []byte(name), 0o600); err != nil {
		t.Fatal(err)
	}
	gittest.Git(t, worktree, "add", name)
	gittest.Git(t, worktree, "commit", "--quiet", "--message", "by a stranger")
	for t.Context().Err() == nil {
		gittest.Git(t, worktree, "pull", "--quiet", "--rebase", "origin", "main")
		push := exec.Command("git", "push", "--quiet", "origin", "HEAD:main")
		push.Dir, push.Env = worktree, gittest.Env()
		if push.Run() == nil {
			return
		}
		time.Sleep(rand.N(100 * time.Millisecond))
	}
}

func writeForEver(url, ca string) int {
	config := git.Config{Name: "GitStateStore default", URL: url, CABundle: []byte(ca), Now: time.Now}
	if ca != "" {
		config.Auth = git.Auth{Username: gittest.User, Password: gittest.Password}
	}
	store, err := git.Open(config)
	for n := 0; err == nil; n++ {
		var state statestore.State
		if state, err = store.Read(context.Background()); err != nil {
			break
		}
		var wanted []tree.File
		for i := range state.Files.Len()/2 + 1 {
			for _, half := range []string{"a", "b"} {
				path, _ := tree.ParsePath(fmt.Sprintf("p%04d/%s", i, half))
				wanted = append(wanted, tree.File{Path: path, Content: fmt.Append(nil, half, i)})
			}
		}
		changes := statestore.Diff(state, wanted, func(tree.Path) bool { return true })
		if _, err = store.Apply(context.Background(), changes); err == nil {
			fmt.Printf("p%04d\n", len(wanted)/2-1)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func TestWriterKilledAtAnyMomentLosesNothing(t *testing.T) {
	const kills = 100
	repository := gittest.Bare(t)
	server := gittest.Serve(t, filepath.Dir(repository))
	acknowledged, last := 0, ""
	window := 250 * time.Millisecond
	for i := range kills {
		env := []string{"KRATIX_SCHEDULE_WRITER=" + repository}
		if i%2 == 1 {
			env = []string{"KRATIX_SCHEDULE_WRITER=" + server.URL + "/store.git", "KRATIX_SCHEDULE_CA=" + string(server.CA)}
		}
		n, said := killWriter(t, env, rand.N(window))
		acknowledged += n
		if acknowledged == 0 && i%10 == 9 {
			window *= 2 // a slow machine needs longer for the first write
		}
		last = max(last, said)
	}
	waitUntilIdle(t, repository)
	state := storetest.Read(t, open(t, git.Config{URL: repository}))
	if acknowledged == 0 || state.Files.Len() < 2*acknowledged || state.Files.Len()%2 != 0 {
		t.Errorf("%d placements were acknowledged, %d files are there", acknowledged, state.Files.Len())
	}
	if !state.Files.Has(testkit.Path(last + "/b")) {
		t.Errorf("%s was acknowledged and is not there", last)
	}
	// Each commit has one whole placement, and each placement has one commit.
	for line := range strings.SplitSeq(gittest.Git(t, repository, "log", "--format=%H", "--shortstat", "main"), "\n") {
		if strings.Contains(line, "changed") && !strings.Contains(line, "2 files changed, 2 insertions") {
			t.Errorf("a commit with %s", line)
		}
	}
	if n := gittest.Commits(t, repository, "main"); n != strconv.Itoa(state.Files.Len()/2) {
		t.Errorf("%s commits for %d files", n, state.Files.Len())
	}
	gittest.Fsck(t, repository)
	t.Logf("%d kills, %d acknowledged, %d placements", kills, acknowledged, state.Files.Len()/2)
}

// waitUntilIdle waits until processes of killed writers no longer change the references.
func waitUntilIdle(t *testing.T, repository string) {
	t.Helper()
	before := ""
	for range 100 {
		now := gittest.Git(t, repository, "for-each-ref")
		if now == before && now != "" {
			return
		}
		before = now
		time.Sleep(300 * time.Millisecond)
	}
	t.Fatal("the repository never came to rest")
}

func killWriter(t *testing.T, env []string, after time.Duration) (acknowledged int, last string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(gittest.Env(), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(20*time.Millisecond+after, func() { cmd.Process.Kill() }) //nolint:errcheck // it may have ended
	for lines := bufio.NewScanner(out); lines.Scan(); {
		acknowledged++
		last = lines.Text()
	}
	cmd.Wait() //nolint:errcheck // it was killed
	return acknowledged, last
}
