package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// tee is output that a test may read while a command writes it.
type tee struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (t *tee) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.Write(p)
}

func (t *tee) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}

func TestRunFollowsItsInputUntilItIsStopped(t *testing.T) {
	tutorial, err := filepath.Abs("../../testdata/elastic-cloud")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	in := "in"
	copyTo := func(names ...string) {
		t.Helper()
		for _, name := range names {
			content, err := os.ReadFile(filepath.Join(tutorial, name))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(in, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Mkdir(in, 0o750); err != nil {
		t.Fatal(err)
	}
	copyTo("destination.yaml", "state-store.yaml", "work-example.yaml")

	var out, trouble tee
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int)
	go func() { ended <- execute(ctx, []string{"run", "-f", in}, streams{out: &out, err: &trouble}) }()

	await(t, &out, "placed         default/elastic-cloud-example")
	copyTo("work-second-request.yaml", "work-cache.yaml")
	await(t, &out, "held back      default/elastic-cloud-second-request")
	await(t, &out, "placed         default/redis")
	if err := os.Remove(filepath.Join(in, "work-example.yaml")); err != nil {
		t.Fatal(err)
	}
	await(t, &out, "placed         default/elastic-cloud-second-request")

	stop()
	if code := <-ended; code != exitClean {
		t.Errorf("exit status %d: %s", code, trouble.String())
	}
	log, err := exec.CommandContext(t.Context(), "git", "--git-dir", "demo/state-store.git", "rev-list", "--count", "main").Output()
	if err != nil || strings.TrimSpace(string(log)) != "3" {
		t.Errorf("%s commits, %v", log, err)
	}
}

// await waits until the text has been written.
func await(t *testing.T, out *tee, text string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if strings.Contains(out.String(), text) {
			return
		}
	}
	t.Fatalf("never wrote %q:\n%s", text, out.String())
}

func TestRunEndsAtOnceWhenItsInputIsNotThere(t *testing.T) {
	var out, trouble tee
	code := execute(t.Context(), []string{"run", "-f", filepath.Join(t.TempDir(), "nowhere")}, streams{out: &out, err: &trouble})
	if code != exitUsage || !strings.Contains(trouble.String(), "cannot read the path") {
		t.Errorf("exit status %d: %s", code, trouble.String())
	}
}
