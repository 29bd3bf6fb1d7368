package dir

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestOverflow(t *testing.T) {
	limit, err := os.ReadFile("/proc/sys/fs/inotify/max_queued_events")
	if err != nil {
		t.Skip("the system has no queue of a known length:", err)
	}
	length, err := strconv.Atoi(strings.TrimSpace(string(limit)))
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a.yaml", "a: [\n")
	write("b.yaml", "")
	s := &Source{Paths: []string{root}, Recursive: true, Now: time.Now}
	changes, err := s.Changes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Snapshot(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.pending.mu.Lock() // blocks the handling of events
	const buffered = 8192
	for i := range length + buffered {
		name := filepath.Join(root, string(rune('a'+i%2))+".yaml") // equal events in a row are merged
		if err := os.Chmod(name, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(root, "below"), 0o750); err != nil {
		t.Fatal(err)
	}
	write("below/c.yaml", "apiVersion: platform.kratix.io/v1alpha1\nkind: Work\nmetadata: {name: c}\nspec: {promiseName: p}\n")
	s.pending.mu.Unlock()

	timeout := time.After(20 * time.Second)
	for {
		select {
		case <-changes:
		case <-timeout:
			t.Fatal("what was written is never seen")
		}
		snapshot, err := s.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(snapshot.Works) == 1 {
			break
		}
	}
	write("below/c.yaml", "# no Work\n")
	for {
		select {
		case <-changes:
		case <-timeout:
			t.Fatal("the new directory is not watched")
		}
		snapshot, err := s.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(snapshot.Works) == 0 {
			return
		}
	}
}
