// Package soak runs the daemon with faults, and compares the store with the result of one clean
// round.
package soak

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

var (
	duration = flag.Duration("for", 10*time.Second, "how long faults go on")
	seed     = flag.Uint64("seed", 1, "what the faults are drawn from")
	write    = flag.String("write", "", "file to put the figures into, between its marks")
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

type trial struct {
	*env
	daemon           *daemon
	repository       string
	proxy            *gittest.Proxy
	disk             *disk
	counts           map[string]int
	unowned          int
	figures          figures
	allowance, aside string
}

const removalDelay = 2 * time.Second

// disk is a git server whose disk can be full.
type disk struct {
	full           atomic.Bool
	roomy, crammed http.Handler
}

func (d *disk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if d.full.Load() {
		d.crammed.ServeHTTP(w, r)
		return
	}
	d.roomy.ServeHTTP(w, r)
}

func newTrial(t *testing.T, root string) *trial {
	t.Helper()
	repository := filepath.Join(root, "store.git")
	gittest.Git(t, root, "init", "-q", "--bare", "-b", "main", repository)
	disk := &disk{roomy: gittest.Backend(t, root), crammed: gittest.FullBackend(t, root)}
	server := gittest.ServeTLS(t, disk)
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := gittest.NewProxy(t, address.Host)
	secret := fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata: {name: git, namespace: default}\nstringData:\n  username: %q\n  password: %q\n  ca.crt: |\n    %s\n",
		gittest.User, gittest.Password, strings.ReplaceAll(strings.TrimSpace(string(server.CA)), "\n", "\n    "))
	rng := rand.New(rand.NewPCG(*seed, 0))
	w := &trial{
		env: newEnv(t, rng, "https://"+proxy.Address+"/store.git", secret), repository: repository, proxy: proxy, disk: disk, counts: map[string]int{},
		allowance: filepath.Join(root, "allow-removals"), aside: t.TempDir(),
	}
	if err := os.WriteFile(w.allowance, []byte(allowed), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := os.OpenFile(filepath.Join(root, "daemon.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() }) //nolint:errcheck // the test is over
	w.daemon = &daemon{
		t: t, binary: build(t), log: log,
		args: []string{
			"-f", w.dir, "--interval", "2s", "--commits-per-minute", "6000", "--on-misplaced", "move", "--allow-removals-file", w.allowance, "--removal-delay", removalDelay.String(), "--owner-id", "soak",
		},
	}
	return w
}

func TestSoak(t *testing.T) {
	testkit.Slow(t)
	root := t.TempDir()
	w := newTrial(t, root)
	w.daemon.start()
	w.awaitUpToDate("at the start")
	w.figures.before = w.daemon.usage()

	began := time.Now()
	for time.Since(began) < *duration {
		// The daemon is not restarted in the second half, so that leaks show.
		past := time.Since(began)
		w.causeFault(past > *duration/2)
		w.sleepUpTo(300 * time.Millisecond)
		w.figures.note(quarterOf(past, *duration), w.daemon.usage(), w.logged())
	}
	w.repair()
	w.awaitUpToDate("in the end")
	w.cleanUpAll()
	w.awaitUpToDate("after the last cleanup")
	w.waitUntilQuiet()
	w.figures.took, w.figures.after = time.Since(began), w.daemon.usage()
	w.daemon.stop()
	w.compare(root)
	w.daemon.checkRaces()
	w.history()
	w.report()
}

func (w *trial) causeFault(keepDaemon bool) {
	var all []fault
	sum := 0
	for _, f := range faults() {
		if !f.restarts || !keepDaemon {
			all, sum = append(all, f), sum+f.often
		}
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

// waitUntilQuiet waits until rounds log nothing more.
func (w *trial) waitUntilQuiet() {
	w.t.Helper()
	const rounds = 5 * time.Second // long enough for two rounds
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		before := w.logged()
		if time.Sleep(rounds); w.logged() == before {
			return
		}
	}
	w.t.Errorf("the log grows though nothing happens\n%s", w.daemon.tail())
}

func (w *trial) logged() int64 {
	info, err := w.daemon.log.Stat()
	if err != nil {
		w.t.Fatal(err)
	}
	return info.Size()
}

func (w *trial) awaitUpToDate(when string) {
	w.t.Helper()
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

func (w *trial) compare(root string) {
	w.t.Helper()
	gittest.Fsck(w.t, w.repository)
	clean := filepath.Join(root, "clean.git")
	gittest.Git(w.t, root, "init", "-q", "--bare", "-b", "main", clean)
	w.pin()
	w.write("store.yaml", "apiVersion: platform.kratix.io/v1alpha1\nkind: GitStateStore\nmetadata: {name: default}\nspec: {url: "+clean+", branch: main}\n")
	run := exec.Command(w.daemon.binary, "run", "-f", w.dir, "--once", "--owner-id", "soak") //nolint:gosec // the project's own program
	if out, err := run.CombinedOutput(); err != nil {
		w.t.Fatalf("the clean round: %v\n%s", err, out)
	}
	want, got := listing(w.t, clean), listing(w.t, w.repository)
	for path := range got {
		if strings.Contains(path, "/foreign-") || strings.HasSuffix(path, "/.kratix/removals") { // the entries of the ledger expire by themselves
			delete(got, path)
		}
	}
	for path, hash := range want {
		if got[path] != hash {
			w.t.Errorf("%s is not as a clean round writes it, but\n%s\ninstead of\n%s", path, show(w.repository, path), show(clean, path))
		}
		delete(got, path)
	}
	for path := range got {
		if !w.abandoned(path) {
			w.t.Errorf("%s is left over", path)
		}
	}
	if foreign := strings.Count(gittest.Git(w.t, w.repository, "ls-tree", "-r", "--name-only", "main"), "/foreign-"); foreign != w.unowned {
		w.t.Errorf("%d of %d files of others are there", foreign, w.unowned)
	}
}

func show(repository, path string) string {
	command := exec.Command("git", "--git-dir", repository, "show", "main:"+path) //nolint:gosec // a path of the test's
	command.Env = gittest.Env()
	out, _ := command.CombinedOutput()
	return string(out)
}

func listing(t *testing.T, repository string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for line := range strings.Lines(gittest.Git(t, repository, "ls-tree", "-r", "main")) {
		meta, path, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		files[path] = strings.Fields(meta)[2]
	}
	return files
}

func (w *trial) history() {
	w.t.Helper()
	last := ""
	for tree := range strings.Lines(gittest.Git(w.t, w.repository, "log", "--format=%T", "main")) {
		if tree == last {
			w.figures.empty++
		}
		last = tree
	}
	if w.figures.empty > 0 {
		w.t.Errorf("%d commits change nothing", w.figures.empty)
	}
	for path := range strings.Lines(gittest.Git(w.t, w.repository, "log", "--format=", "--name-only", "main")) {
		_, rest, ok := strings.Cut(strings.TrimSpace(path), "/resources/default/redis/")
		name, _, _ := strings.Cut(rest, "/")
		if want := fmt.Sprintf("clusters/d%d/", destinationOf(cmp.Or(name, "0"))); ok && !strings.HasPrefix(path, want) {
			w.t.Errorf("%s was on another Destination: %s", name, path)
		}
	}
}
