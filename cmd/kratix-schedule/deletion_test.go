package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

type daemonEnv struct {
	t               *testing.T
	dir, repository string
	log             tee
}

func watchedWorks(t *testing.T, works int, version string) *daemonEnv {
	t.Helper()
	root := t.TempDir()
	w := &daemonEnv{t: t, dir: filepath.Join(root, "works"), repository: filepath.Join(root, "store.git")}
	if err := os.Mkdir(w.dir, 0o750); err != nil {
		t.Fatal(err)
	}
	w.git("init", "-q", "--bare", "-b", "main", w.repository)
	w.write("stores.yaml", "apiVersion: platform.kratix.io/v1alpha1\nkind: GitStateStore\nmetadata: {name: default}\nspec: {url: "+w.repository+", branch: main}\n"+
		"---\napiVersion: platform.kratix.io/v1alpha1\nkind: Destination\nmetadata: {name: worker-1}\nspec:\n  stateStoreRef: {kind: GitStateStore, name: default}\n")
	w.writeWorks(works, version)
	return w
}

func (w *daemonEnv) git(args ...string) string {
	w.t.Helper()
	command := exec.CommandContext(w.t.Context(), "git", args...)
	command.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@example.org", "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@example.org")
	out, err := command.CombinedOutput()
	if err != nil {
		w.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (w *daemonEnv) write(name, content string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *daemonEnv) writeWorks(works int, version string) {
	w.t.Helper()
	const each = 8
	for from := 0; from < works; from += each {
		var text strings.Builder
		for i := from; i < min(from+each, works); i++ {
			manifest := fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m%02d}\ndata: {version: %s}\n", i, version)
			fmt.Fprintf(&text, "---\napiVersion: platform.kratix.io/v1alpha1\nkind: Work\nmetadata: {name: w%02d}\nspec:\n  promiseName: p\n  resourceName: w%02[1]d\n"+
				"  workloadGroups:\n  - id: 5058f1af8388633f609cadb75a75dc9d\n    directory: .\n    workloads:\n    - {filepath: m.yaml, content: %[2]s}\n", i, kratix.Encode([]byte(manifest)))
		}
		w.write(fmt.Sprintf("works-%02d.yaml", from), text.String())
	}
}

func (w *daemonEnv) run(delay time.Duration, flags ...string) (stop func()) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	ended := make(chan int)
	go func() {
		ended <- execute(ctx, append([]string{"run", "-f", w.dir, "--listen=", "--removal-delay", delay.String()}, flags...), streams{out: &w.log, err: &w.log})
	}()
	return func() {
		cancel()
		if code := <-ended; code != exitClean {
			w.t.Errorf("exit status %d:\n%s", code, w.log.String())
		}
	}
}

func (w *daemonEnv) removals() string {
	w.t.Helper()
	return w.git("--git-dir", w.repository, "log", "--diff-filter=D", "--format=%h", "--name-only", "main", "--", ":(glob)**/m.yaml")
}

func (w *daemonEnv) placed() int {
	w.t.Helper()
	return strings.Count(w.git("--git-dir", w.repository, "ls-tree", "-r", "--name-only", "main"), "/m.yaml")
}

func TestDaemonKeepsObjectsOfATruncatedFile(t *testing.T) {
	w := watchedWorks(t, 16, "one")
	const delay = 2 * time.Second
	stop := w.run(delay)
	waitForOutput(t, &w.log, `"work":"default/w15`)
	if err := os.Truncate(filepath.Join(w.dir, "works-08.yaml"), 0); err != nil {
		t.Fatal(err)
	}
	waitForOutput(t, &w.log, "KS029")
	time.Sleep(delay + time.Second)
	if got := w.removals(); got != "" || w.placed() != 16 {
		t.Fatalf("%d are left; removed are\n%s", w.placed(), got)
	}
	stop()
	stop = w.run(delay) // the new process has no record of the file's earlier content
	time.Sleep(delay + time.Second)
	if got := w.removals(); got != "" || w.placed() != 16 {
		t.Fatalf("%d are left; removed are\n%s", w.placed(), got)
	}
	w.writeWorks(16, "two")
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(w.git("--git-dir", w.repository, "show", "main:worker-1/resources/default/p/w15/5058f/m.yaml"), "version: two"); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("what is whole again is never written")
		}
	}
	stop()
	if got := w.removals(); got != "" {
		t.Errorf("removed are\n%s", got)
	}
}

func TestDaemonThatStartsDuringACheckoutRemovesNothing(t *testing.T) {
	w := watchedWorks(t, 40, "one")
	in := func(args ...string) { t.Helper(); w.git(append([]string{"-C", w.dir}, args...)...) }
	in("init", "-q", "-b", "one")
	in("add", "-A")
	in("commit", "-q", "-m", "one")
	in("checkout", "-q", "-b", "two")
	in("mv", "works-16.yaml", "moved.yaml")
	w.writeWorks(16, "two")
	in("add", "-A")
	in("commit", "-q", "-m", "two")
	stop := w.run(3 * time.Second)
	waitForOutput(t, &w.log, `"work":"default/w39`)
	for i := range 6 {
		branch := []string{"one", "two"}[i%2]
		if i%3 == 2 { // stop the daemon between the two steps of a checkout
			stop()
			if err := os.Remove(filepath.Join(w.dir, "works-08.yaml")); err != nil {
				t.Fatal(err)
			}
			stop = w.run(3 * time.Second)
			time.Sleep(time.Second)
			in("checkout", "-q", "-f", branch)
			continue
		}
		in("checkout", "-q", branch)
		time.Sleep(300 * time.Millisecond)
	}
	time.Sleep(4 * time.Second)
	stop()
	if got := w.removals(); got != "" || w.placed() != 40 {
		t.Errorf("%d are left; removed are\n%s", w.placed(), got)
	}
}
