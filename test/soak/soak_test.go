// Package soak lets the daemon work for as long as it is told, among random
// faults, and compares what it leaves with what one clean round writes.
package soak

import (
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

var (
	duration = flag.Duration("for", 10*time.Second, "how long faults go on")
	seed     = flag.Uint64("seed", 1, "what the faults are drawn from")
)

func packed(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// trial is a daemon, its world, its store, and what stands in between.
type trial struct {
	*world
	daemon     *daemon
	repository string
	proxy      *gittest.Proxy
	counts     map[string]int
	foreign    int
}

// fault is one thing that may happen, and how often in proportion.
type fault struct {
	name  string
	often int
	do    func(*trial)
}

func faults() []fault {
	return []fault{
		{"a Work comes or changes", 30, func(w *trial) { w.putWork() }},
		{"a Work goes", 10, func(w *trial) { w.removeWork() }},
		{"a Work clashes with another, or no longer", 8, func(w *trial) { w.clash() }},
		{"a Destination loses or gets its label", 8, func(w *trial) { w.destination(w.rng.IntN(destinations), w.rng.IntN(2) == 0) }},
		{"the daemon is killed", 6, func(w *trial) { w.daemon.stop(syscall.SIGKILL); w.daemon.start() }},
		{"the daemon is stopped and started", 2, func(w *trial) { w.daemon.stop(syscall.SIGTERM); w.daemon.start() }},
		{"the daemon is told to look", 3, func(w *trial) { _ = w.daemon.process.Process.Signal(syscall.SIGHUP) }},
		{"the store answers late", 4, func(w *trial) { w.disturb(gittest.Fault{Delay: time.Duration(w.rng.IntN(1500)) * time.Millisecond}) }},
		{"the store ends in mid-answer", 4, func(w *trial) { w.disturb(gittest.Fault{After: w.rng.Int64N(3000), Cut: true}) }},
		{"the store hangs up", 4, func(w *trial) { w.disturb(gittest.Fault{Reset: true}) }},
		{"the store falls silent", 2, func(w *trial) { w.disturb(gittest.Fault{After: w.rng.Int64N(3000), Hang: true}) }},
		{"the store answers nonsense", 3, func(w *trial) { w.disturb(gittest.Fault{Garbage: "HTTP/1.1 200 OK\r\n\r\n<html>"}) }},
		{"someone else commits", 3, (*trial).commitForeign},
		{"someone damages a file", 2, (*trial).damage},
		{"files that cannot be read", 2, func(w *trial) { w.breakFiles(w.rng.IntN(100)) }},
		{"the source directory vanishes for a moment", 2, (*trial).hideSource},
		{"another daemon for a while", 2, (*trial).second},
	}
}

// disturb makes the way to the store bad for a while.
func (w *trial) disturb(fault gittest.Fault) {
	w.proxy.Set(fault)
	time.Sleep(time.Duration(w.rng.IntN(2000)) * time.Millisecond)
	w.proxy.Set(gittest.Fault{})
}

// commitForeign adds a file that is nobody's placement.
func (w *trial) commitForeign() {
	w.foreign++
	w.push(fmt.Sprintf("clusters/d%d/resources/foreign-%d.yaml", w.rng.IntN(destinations), w.foreign),
		fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: foreign-%d}\n", w.foreign))
}

// damage changes a file that is a placement's. Records are left alone: what a
// lost record has named counts as foreign once its Work goes.
func (w *trial) damage() {
	listing := strings.Fields(gittest.Git(w.t, w.repository, "ls-tree", "-r", "--name-only", "main"))
	for range 20 {
		path := listing[w.rng.IntN(len(listing))]
		if strings.HasSuffix(path, "/object.yaml") {
			w.push(path, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: damaged}\n")
			return
		}
	}
}

// push commits a file beside the daemon, which may be quicker.
func (w *trial) push(path, content string) {
	clone := gittest.Clone(w.t, w.repository, "main")
	defer os.RemoveAll(clone) //nolint:errcheck // the test removes it too
	file := filepath.Join(clone, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
	gittest.Git(w.t, clone, "add", "-A")
	if gittest.Git(w.t, clone, "status", "--porcelain") == "" {
		return // it was damaged so already, and is not mended yet
	}
	gittest.Git(w.t, clone, "commit", "-q", "-m", "by hand")
	for range 20 {
		push := exec.Command("git", "push", "-q", "origin", "HEAD:main")
		push.Dir, push.Env = clone, gittest.Env()
		if push.Run() == nil {
			return
		}
		gittest.Git(w.t, clone, "pull", "-q", "--rebase", "origin", "main")
	}
}

// hideSource takes the whole input away and brings it back.
func (w *trial) hideSource() {
	away := w.dir + ".away"
	if err := os.Rename(w.dir, away); err != nil {
		w.t.Fatal(err)
	}
	time.Sleep(time.Duration(w.rng.IntN(1000)) * time.Millisecond)
	if err := os.Rename(away, w.dir); err != nil {
		w.t.Fatal(err)
	}
}

// second lets another daemon work on the same input and store.
func (w *trial) second() {
	other := &daemon{t: w.t, binary: w.daemon.binary, args: w.daemon.args, log: w.daemon.log, address: freeAddress(w.t)}
	other.start()
	for range 5 {
		w.putWork()
		time.Sleep(time.Duration(w.rng.IntN(500)) * time.Millisecond)
	}
	other.stop(syscall.SIGTERM)
}

// TestSoak needs git; it takes as long as -for says, and a little.
func TestSoak(t *testing.T) {
	root := t.TempDir()
	repository := filepath.Join(root, "store.git")
	gittest.Git(t, root, "init", "-q", "--bare", "-b", "main", repository)
	server := gittest.Serve(t, root)
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := gittest.NewProxy(t, address.Host)
	rng := rand.New(rand.NewPCG(*seed, 0))
	secret := fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata: {name: git, namespace: default}\nstringData:\n  username: %q\n  password: %q\n  ca.crt: |\n    %s\n",
		gittest.User, gittest.Password, strings.ReplaceAll(strings.TrimSpace(string(server.CA)), "\n", "\n    "))
	w := &trial{
		world: newWorld(t, rng, "https://"+proxy.Address+"/store.git", secret), repository: repository, proxy: proxy, counts: map[string]int{},
	}
	log, err := os.Create(filepath.Join(root, "daemon.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close() //nolint:errcheck // the test is over
	w.daemon = &daemon{
		t: t, binary: build(t), log: log, address: freeAddress(t),
		args: []string{"-f", w.dir, "--interval", "2s", "--on-misplaced", "move", "--allow-deletions", "--owner-id", "soak"},
	}
	w.daemon.start()
	w.settles("at the start")

	began := time.Now()
	for n := 0; time.Since(began) < *duration; n++ {
		w.happen()
		time.Sleep(time.Duration(rng.IntN(300)) * time.Millisecond)
		if n%20 == 0 {
			w.daemon.observe()
		}
	}
	w.mend()
	w.settles("in the end")
	w.daemon.observe()
	w.daemon.stop(syscall.SIGTERM)
	w.compare(root)
	w.tell(time.Since(began))
}

// happen lets one fault happen.
func (w *trial) happen() {
	all, sum := faults(), 0
	for _, f := range all {
		sum += f.often
	}
	at := w.rng.IntN(sum)
	for _, f := range all {
		if at -= f.often; at < 0 {
			w.counts[f.name]++
			f.do(w)
			return
		}
	}
}

// settles waits until the store is what it should be: until a plan has nothing
// to do.
func (w *trial) settles(when string) {
	w.t.Helper()
	const patience = 2 * time.Minute
	var out []byte
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(500 * time.Millisecond) {
		plan := exec.Command(w.daemon.binary, "plan", "-f", w.dir, "--on-misplaced", "move", "--allow-deletions", "--owner-id", "soak") //nolint:gosec // the project's own program
		var err error
		if out, err = plan.CombinedOutput(); err == nil {
			return
		}
	}
	w.t.Fatalf("%s the store is not what it should be after %s:\n%s\nthe daemon's log:\n%s", when, patience, out, w.daemon.tail())
}

// compare compares the store with what one clean round writes into an empty one.
func (w *trial) compare(root string) {
	w.t.Helper()
	gittest.Fsck(w.t, w.repository)
	clean := filepath.Join(root, "clean.git")
	gittest.Git(w.t, root, "init", "-q", "--bare", "-b", "main", clean)
	w.write("store.yaml", "apiVersion: platform.kratix.io/v1alpha1\nkind: GitStateStore\nmetadata: {name: default}\nspec: {url: "+clean+", branch: main}\n")
	run := exec.Command(w.daemon.binary, "run", "-f", w.dir, "--once", "--owner-id", "soak") //nolint:gosec // the project's own program
	if out, err := run.CombinedOutput(); err != nil {
		w.t.Fatalf("the clean round: %v\n%s", err, out)
	}
	want, got := listing(w.t, clean), listing(w.t, w.repository)
	for path := range got {
		if strings.Contains(path, "/foreign-") {
			delete(got, path)
		}
	}
	for path, hash := range want {
		if got[path] != hash {
			w.t.Errorf("%s is not as a clean round writes it", path)
		}
		delete(got, path)
	}
	for path := range got {
		w.t.Errorf("%s is left over", path)
	}
	if foreign := strings.Count(gittest.Git(w.t, w.repository, "ls-tree", "-r", "--name-only", "main"), "/foreign-"); foreign != w.foreign {
		w.t.Errorf("%d of %d files of others are there", foreign, w.foreign)
	}
}

// listing maps the paths of a repository to the hashes of their contents.
func listing(t *testing.T, repository string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for line := range strings.Lines(gittest.Git(t, repository, "ls-tree", "-r", "main")) {
		meta, path, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		files[path] = strings.Fields(meta)[2]
	}
	return files
}

// tell prints what happened.
func (w *trial) tell(took time.Duration) {
	empty, last := 0, ""
	for tree := range strings.Lines(gittest.Git(w.t, w.repository, "log", "--format=%T", "main")) {
		if tree == last {
			empty++
		}
		last = tree
	}
	size, _ := w.daemon.log.Stat()
	w.t.Logf("%s, seed %d: %d starts, %s commits, %d without a change", took.Round(time.Second), *seed, w.daemon.starts, gittest.Commits(w.t, w.repository, "main"), empty)
	for _, f := range faults() {
		w.t.Logf("%5d times: %s", w.counts[f.name], f.name)
	}
	w.t.Logf("at most %d MiB resident, %d goroutines, %d open files; %d KiB of log", w.daemon.most.mebibytes, w.daemon.most.goroutines, w.daemon.most.files, size.Size()>>10)
	if empty > 0 {
		w.t.Errorf("%d commits change nothing", empty)
	}
}
