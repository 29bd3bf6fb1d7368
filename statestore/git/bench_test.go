package git_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

// BenchmarkBurst writes placements of three files over https. The "store" case writes 1,000 with
// one Apply, "command" writes them one by one with the git command line, and "push" pushes a commit
// with 1,000.
func BenchmarkBurst(b *testing.B) {
	const burst = 1000
	b.Run("store", func(b *testing.B) { benchmarkStore(b, 100, burst) })
	b.Run("command", func(b *testing.B) { benchmarkCommand(b, 100) })
	b.Run("push", func(b *testing.B) { benchmarkPush(b, 100, burst) })
}

// BenchmarkOne writes one placement of three files over https. Its metric own-ms is the time in
// which the server processed no request, git-cpu-ms the CPU time of git's processes, and go-cpu-ms
// the CPU time of this process, which includes the server's TLS.
func BenchmarkOne(b *testing.B) {
	for _, held := range []int{100, 20_000, 200_000} {
		b.Run(fmt.Sprintf("held=%d/store", held), func(b *testing.B) { benchmarkStore(b, held, 1) })
		b.Run(fmt.Sprintf("held=%d/round", held), func(b *testing.B) { benchmarkRound(b, held) })
		b.Run(fmt.Sprintf("held=%d/push", held), func(b *testing.B) { benchmarkPush(b, held, 1) })
		b.Run(fmt.Sprintf("held=%d/command", held), func(b *testing.B) { benchmarkCommand(b, held) })
	}
}

type watch struct {
	busy            atomic.Int64 // nanoseconds in which the server's handlers were busy
	elapsed, waited time.Duration
	ours, gits      time.Duration
}

func (w *watch) countTime(next http.Handler) http.Handler {
	return http.HandlerFunc(func(to http.ResponseWriter, r *http.Request) {
		begun := time.Now()
		next.ServeHTTP(to, r)
		w.busy.Add(int64(time.Since(begun)))
	})
}

func cpu(b *testing.B, who int) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(who, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func (w *watch) measure(b *testing.B, operation func()) {
	b.Helper()
	busy, self, children, begun := w.busy.Load(), cpu(b, syscall.RUSAGE_SELF), cpu(b, syscall.RUSAGE_CHILDREN), time.Now()
	operation()
	w.elapsed += time.Since(begun)
	w.waited += time.Duration(w.busy.Load() - busy)
	w.ours += cpu(b, syscall.RUSAGE_SELF) - self
	w.gits += cpu(b, syscall.RUSAGE_CHILDREN) - children
}

func (w *watch) report(b *testing.B, n, burst int) {
	b.Helper()
	each := func(d time.Duration) float64 { return d.Seconds() * 1000 / float64(n) }
	b.ReportMetric(float64(n*burst)/w.elapsed.Seconds(), "placements/s")
	b.ReportMetric(each(w.elapsed-w.waited), "own-ms")
	b.ReportMetric(each(w.ours), "go-cpu-ms")
	b.ReportMetric(each(w.gits), "git-cpu-ms")
}

func grown(b *testing.B, held int) (git.Config, string, *watch) {
	b.Helper()
	repository := gittest.Bare(b)
	gittest.Grow(b, repository, held, 600)
	w := &watch{}
	server := gittest.ServeTLS(b, w.countTime(gittest.Backend(b, filepath.Dir(repository), gittest.Partial()...)))
	return git.Config{
		URL: server.URL + "/store.git", CABundle: server.CA, Auth: git.Auth{Username: gittest.User, Password: gittest.Password},
	}, repository, w
}

func benchmarkStore(b *testing.B, held, burst int) {
	config, repository, watch := grown(b, held)
	store := open(b, config)
	base := apply(b, store, statestore.ChangeSet{Base: storetest.Read(b, store).Revision, Write: placements("first", 1)})
	n := 0
	for b.Loop() {
		n++
		files := placements(fmt.Sprint("new", n), burst)
		watch.measure(b, func() { base = apply(b, store, statestore.ChangeSet{Base: base, Write: files}) })
	}
	watch.report(b, n, burst)
	gittest.Fsck(b, repository)
}

func benchmarkRound(b *testing.B, held int) {
	config, _, watch := grown(b, held)
	store := open(b, config)
	apply(b, store, statestore.ChangeSet{Base: storetest.Read(b, store).Revision, Write: placements("first", 1)})
	n := 0
	for b.Loop() {
		n++
		files := placements(fmt.Sprint("new", n), 1)
		watch.measure(b, func() {
			apply(b, store, statestore.ChangeSet{Base: storetest.Read(b, store).Revision, Write: files})
		})
	}
	watch.report(b, n, 1)
}

func worktree(b *testing.B, held int) (string, *watch) {
	b.Helper()
	config, repository, watch := grown(b, held)
	dir := gittest.Clone(b, repository, "main")
	toServer(b, dir, config)
	return dir, watch
}

func toServer(b *testing.B, dir string, config git.Config) {
	b.Helper()
	gittest.Git(b, dir, "config", "http.sslVerify", "false") // no environment variable can set this
	gittest.Git(b, dir, "config", "gc.auto", "0")
	url := "https://" + gittest.User + ":" + gittest.Password + "@" + config.URL[len("https://"):]
	gittest.Git(b, dir, "remote", "set-url", "origin", url)
}

func benchmarkCommand(b *testing.B, held int) {
	dir, watch := worktree(b, held)
	n := 0
	for b.Loop() {
		n++
		watch.measure(b, func() {
			gittest.Git(b, dir, "fetch", "--quiet", "--depth=1", "origin", "main")
			gittest.Git(b, dir, "reset", "--quiet", "--hard", "FETCH_HEAD")
			gittest.Git(b, dir, "clean", "--quiet", "-ffdx")
			writeFiles(b, dir, placements(fmt.Sprint("new", n), 1))
			gittest.Git(b, dir, "add", "--all")
			gittest.Git(b, dir, "commit", "--quiet", "--message", "one placement")
			gittest.Git(b, dir, "push", "--quiet", "origin", "HEAD:main")
		})
	}
	watch.report(b, n, 1)
}

func benchmarkPush(b *testing.B, held, burst int) {
	config, repository, watch := grown(b, held)
	dir := filepath.Join(b.TempDir(), "clone.git")
	gittest.Git(b, filepath.Dir(dir), "clone", "--quiet", "--bare", repository, dir)
	toServer(b, dir, config)
	n := 0
	for b.Loop() {
		n++
		commitFiles(b, dir, placements(fmt.Sprint("new", n), burst))
		watch.measure(b, func() { gittest.Git(b, dir, "push", "--quiet", "origin", "main") })
	}
	watch.report(b, n, burst)
}

func commitFiles(b *testing.B, dir string, files []tree.File) {
	b.Helper()
	var script bytes.Buffer
	script.WriteString("commit refs/heads/main\ncommitter a <a@example.com> 1700000000 +0000\ndata 1\na\nfrom refs/heads/main^0\n")
	for _, file := range files {
		fmt.Fprintf(&script, "M 100644 inline %s\ndata %d\n%s\n", file.Path, len(file.Content), file.Content)
	}
	cmd := exec.Command("git", "-c", "fastimport.unpackLimit=1000000", "fast-import", "--quiet")
	cmd.Dir, cmd.Env, cmd.Stdin = dir, gittest.Env(), &script
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
}

func writeFiles(b *testing.B, dir string, files []tree.File) {
	b.Helper()
	for _, file := range files {
		path := filepath.Join(dir, filepath.FromSlash(file.Path.String()))
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, file.Content, 0o600); err != nil {
			b.Fatal(err)
		}
	}
}

func apply(b *testing.B, store statestore.Store, changes statestore.ChangeSet) statestore.Revision {
	b.Helper()
	revision, err := store.Apply(b.Context(), changes)
	if err != nil {
		b.Fatal(err)
	}
	return revision
}

func placements(text string, n int) []tree.File {
	files := make([]tree.File, 0, 3*n)
	for i := range n {
		for f := range 3 {
			path, err := tree.ParsePath(fmt.Sprintf("worker-%d/resources/default/app/%s-%d/5058f/%d.yaml", i%10, text, i, f))
			if err != nil {
				panic(err)
			}
			content := fmt.Appendf(nil, "name: %s-%d-%d\n%s", text, i, f, bytes.Repeat([]byte("key: value\n"), 50))
			files = append(files, tree.File{Path: path, Content: content})
		}
	}
	tree.SortFiles(files)
	return files
}
