package git_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
	"github.com/kratix-schedule/kratix-schedule/tree"
)

// BenchmarkBurst writes a thousand placements of three files over https.
//
//	store     one Apply
//	command   one after the other by the git command line, as the writer built
//	          into Kratix does: fetch, reset, clean, write, add, commit, push
//	push      git push of one commit that is prepared already
func BenchmarkBurst(b *testing.B) {
	const burst = 1000
	b.Run("store", func(b *testing.B) { benchmarkStore(b, 100, burst) })
	b.Run("command", func(b *testing.B) { benchmarkCommand(b, 100) })
	b.Run("push", func(b *testing.B) { benchmarkPush(b, burst) })
}

// BenchmarkOne writes one placement of three files over https, into
// repositories of several sizes. "round" reads the store as well.
func BenchmarkOne(b *testing.B) {
	for _, held := range []int{100, 20_000, 200_000} {
		b.Run(fmt.Sprintf("held=%d/store", held), func(b *testing.B) { benchmarkStore(b, held, 1) })
		b.Run(fmt.Sprintf("held=%d/round", held), func(b *testing.B) { benchmarkRound(b, held) })
		b.Run(fmt.Sprintf("held=%d/command", held), func(b *testing.B) { benchmarkCommand(b, held) })
	}
}

// grown serves a repository with that many files.
func grown(b *testing.B, held int) (git.Config, string) {
	b.Helper()
	repository := gittest.Bare(b)
	gittest.Grow(b, repository, held, 600)
	return served(b, repository, gittest.Partial()...), repository
}

func benchmarkStore(b *testing.B, held, burst int) {
	config, repository := grown(b, held)
	store := open(b, config)
	base := storetest.Read(b, store).Revision
	n := 0
	for b.Loop() {
		b.StopTimer()
		n++
		files := placements(fmt.Sprint("new", n), burst)
		b.StartTimer()
		base = apply(b, store, statestore.ChangeSet{Base: base, Write: files})
	}
	perSecond(b, n*burst)
	gittest.Fsck(b, repository)
}

func benchmarkRound(b *testing.B, held int) {
	config, _ := grown(b, held)
	store := open(b, config)
	n := 0
	for b.Loop() {
		n++
		base := storetest.Read(b, store).Revision
		apply(b, store, statestore.ChangeSet{Base: base, Write: placements(fmt.Sprint("new", n), 1)})
	}
	perSecond(b, n)
}

// worktree gives a clone that pushes to the server.
func worktree(b *testing.B, held int) string {
	b.Helper()
	config, repository := grown(b, held)
	dir := gittest.Clone(b, repository, "main")
	gittest.Git(b, dir, "config", "http.sslVerify", "false") // no environment can gainsay that
	gittest.Git(b, dir, "config", "gc.auto", "0")
	url := "https://" + gittest.User + ":" + gittest.Password + "@" + config.URL[len("https://"):]
	gittest.Git(b, dir, "remote", "set-url", "origin", url)
	return dir
}

func benchmarkCommand(b *testing.B, held int) {
	dir := worktree(b, held)
	n := 0
	for b.Loop() {
		n++
		gittest.Git(b, dir, "fetch", "--quiet", "--depth=1", "origin", "main")
		gittest.Git(b, dir, "reset", "--quiet", "--hard", "FETCH_HEAD")
		gittest.Git(b, dir, "clean", "--quiet", "-ffdx")
		writeFiles(b, dir, placements(fmt.Sprint("new", n), 1))
		gittest.Git(b, dir, "add", "--all")
		gittest.Git(b, dir, "commit", "--quiet", "--message", "one placement")
		gittest.Git(b, dir, "push", "--quiet", "origin", "HEAD:main")
	}
	perSecond(b, n)
}

func benchmarkPush(b *testing.B, burst int) {
	dir := worktree(b, 100)
	n := 0
	for b.Loop() {
		b.StopTimer()
		n++
		writeFiles(b, dir, placements(fmt.Sprint("new", n), burst))
		gittest.Git(b, dir, "add", "--all")
		gittest.Git(b, dir, "commit", "--quiet", "--message", "a burst")
		b.StartTimer()
		gittest.Git(b, dir, "push", "--quiet", "origin", "HEAD:main")
	}
	perSecond(b, n*burst)
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

func perSecond(b *testing.B, n int) {
	b.Helper()
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "placements/s")
}

func apply(b *testing.B, store statestore.Store, changes statestore.ChangeSet) statestore.Revision {
	b.Helper()
	revision, err := store.Apply(b.Context(), changes)
	if err != nil {
		b.Fatal(err)
	}
	return revision
}

// placements makes the three files of each of n placements.
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
