package dir_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/source/dir"
)

func waitForWorks(t *testing.T, s *dir.Source, changes <-chan struct{}, want ...string) source.Snapshot {
	t.Helper()
	timeout := time.After(patience)
	var got []string
	for {
		select {
		case <-changes:
		case <-timeout:
			t.Fatalf("the Works are %q, want %q", got, want)
		}
		snapshot, err := s.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got = names(snapshot); slices.Equal(got, want) {
			return snapshot
		}
	}
}

func watchAndRead(t *testing.T, s *dir.Source, want ...string) <-chan struct{} {
	t.Helper()
	s.Now = time.Now
	changes := watch(t, s)
	expectWorks(t, s, want...)
	return changes
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func TestTemporaryFilesOfEditorsAreNotReported(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, filepath.Join(root, "a.yaml"), testkit.WorkYAML("a"))
	s := &dir.Source{Paths: []string{root}, Recursive: true}
	changes := watchAndRead(t, s, "a")
	for _, name := range []string{".a.yaml.swp", ".a.yaml.swx", "4913", "a.yaml~", "#a.yaml#", ".goutputstream-X3F2", "a.yaml.tmp", "a.yaml.bak"} {
		write(t, filepath.Join(root, name), testkit.WorkYAML("no"))
		remove(t, filepath.Join(root, name))
	}
	link(t, "somebody@somewhere.4711", filepath.Join(root, ".#a.yaml"))
	noChange(t, changes)
	expectWorks(t, s, "a")
}

func TestEditorThatRenamesAndRewritesRemovesNothing(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	path := filepath.Join(root, "a.yaml")
	write(t, path, testkit.WorkYAML("a"))
	s := &dir.Source{Paths: []string{root}}
	changes := watchAndRead(t, s, "a")
	rename(t, path, path+"~")
	awaitChange(t, changes)
	expectWorks(t, s, "a")
	write(t, path, testkit.WorkYAML("a")+"---\n"+testkit.WorkYAML("b"))
	remove(t, path+"~")
	waitForWorks(t, s, changes, "a", "b")
}

func TestDirectoriesAreAddedAndRemoved(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, filepath.Join(root, "one", "deep", "a.yaml"), testkit.WorkYAML("a"))
	s := &dir.Source{Paths: []string{root}, Recursive: true}
	changes := watchAndRead(t, s, "a")

	rename(t, filepath.Join(root, "one"), filepath.Join(root, "two"))
	got := waitForWorks(t, s, changes, "a")
	for got.Origins.Of(got.Works[0]).File != filepath.Join(root, "two", "deep", "a.yaml") {
		awaitChange(t, changes)
		got = expectWorks(t, s, "a")
	}
	write(t, filepath.Join(root, "two", "deep", "b.yaml"), testkit.WorkYAML("b"))
	waitForWorks(t, s, changes, "a", "b")
	remove(t, filepath.Join(root, "two"))
	waitForWorks(t, s, changes)
	write(t, filepath.Join(root, "two", "deep", "c.yaml"), testkit.WorkYAML("c"))
	waitForWorks(t, s, changes, "c")

	outside := t.TempDir()
	write(t, filepath.Join(outside, "d", "d.yaml"), testkit.WorkYAML("d"))
	rename(t, filepath.Join(outside, "d"), filepath.Join(root, "d"))
	waitForWorks(t, s, changes, "c", "d")
	rename(t, filepath.Join(root, "d"), filepath.Join(outside, "d"))
	waitForWorks(t, s, changes, "c")
}

func TestInputThatDisappearsIsAnError(t *testing.T) {
	tests := map[string]func(t *testing.T, root string){
		"gone":    remove,
		"renamed": func(t *testing.T, root string) { t.Helper(); rename(t, root, root+".away") },
		"a link in a circle": func(t *testing.T, root string) {
			t.Helper()
			rename(t, root, root+".away")
			link(t, root, root)
		},
	}
	for name, hide := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := filepath.Join(t.TempDir(), "works")
			write(t, filepath.Join(root, "a.yaml"), testkit.WorkYAML("a"))
			write(t, filepath.Join(root, "b.yaml"), testkit.WorkYAML("b"))
			s := &dir.Source{Paths: []string{root}}
			changes := watchAndRead(t, s, "a", "b")
			hide(t, root)
			awaitChange(t, changes)
			for range 2 {
				if _, err := s.Snapshot(t.Context()); !errors.Is(err, dir.ErrPath) {
					t.Fatalf("got %v, want an error that names the path", err)
				}
			}
			remove(t, root)
			write(t, filepath.Join(root, "a.yaml"), testkit.WorkYAML("a"))
			waitForWorks(t, s, changes, "a")
			write(t, filepath.Join(root, "c.yaml"), testkit.WorkYAML("c"))
			waitForWorks(t, s, changes, "a", "c")
		})
	}
}

func TestUnreadableInputIsAnError(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "a.yaml"), testkit.WorkYAML("a"))
	s := &dir.Source{Paths: []string{root}}
	changes := watchAndRead(t, s, "a")
	if err := os.Chmod(root, 0); err != nil {
		t.Fatal(err)
	}
	awaitChange(t, changes)
	back := asNobody(t)
	_, err := s.Snapshot(t.Context())
	if back(); !errors.Is(err, dir.ErrPath) {
		t.Errorf("got %v, want an error that names the path", err)
	}
	if err := os.Chmod(root, 0o700); err != nil { //nolint:gosec // a directory
		t.Fatal(err)
	}
	waitForWorks(t, s, changes, "a")
}

func asNobody(t *testing.T) (back func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		return func() {}
	}
	const nobody = 65534
	runtime.LockOSThread() // the file system user ID belongs to one thread
	if err := unix.Setfsuid(nobody); err != nil {
		t.Fatal(err)
	}
	return func() {
		_ = unix.Setfsuid(0)
		runtime.UnlockOSThread()
	}
}

func TestReplacedSymlinkInInputPath(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	write(t, filepath.Join(base, "v1", "works", "a.yaml"), testkit.WorkYAML("a"))
	write(t, filepath.Join(base, "v2", "works", "b.yaml"), testkit.WorkYAML("b"))
	link(t, "v1", filepath.Join(base, "now"))
	s := &dir.Source{Paths: []string{filepath.Join(base, "now", "works")}}
	changes := watchAndRead(t, s, "a")
	link(t, "v2", filepath.Join(base, "next"))
	rename(t, filepath.Join(base, "next"), filepath.Join(base, "now"))
	waitForWorks(t, s, changes, "b")
	write(t, filepath.Join(base, "v2", "works", "c.yaml"), testkit.WorkYAML("c"))
	waitForWorks(t, s, changes, "b", "c")
}

func TestMountedConfigMapIsReplaced(t *testing.T) {
	for _, recursive := range []bool{false, true} {
		t.Run(map[bool]string{false: "alone", true: "recursively"}[recursive], func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			write(t, filepath.Join(root, "a.yaml"), testkit.WorkYAML("a"))
			mount(t, root)
			s := &dir.Source{Paths: []string{root}, Recursive: recursive}
			changes := watchAndRead(t, s, "a")
			remount(t, root)
			waitForWorks(t, s, changes, "c")
		})
	}
}

func TestDirectoryWithTwoNames(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, filepath.Join(root, "works", "a.yaml"), testkit.WorkYAML("a"))
	link(t, "works", filepath.Join(root, "alias"))
	s := &dir.Source{Paths: []string{filepath.Join(root, "works"), filepath.Join(root, "alias")}}
	changes := watchAndRead(t, s, "a")
	write(t, filepath.Join(root, "works", "b.yaml"), testkit.WorkYAML("b"))
	got := waitForWorks(t, s, changes, "a", "b")
	if len(got.Findings) != 2 {
		t.Errorf("each is in the input twice, and the findings are %v", got.Findings)
	}
}

func TestReadAllFindsChangesWithoutEvents(t *testing.T) {
	t.Parallel()
	root, outside := t.TempDir(), t.TempDir()
	target := filepath.Join(outside, "a.yaml")
	write(t, target, testkit.WorkYAML("a"))
	link(t, target, filepath.Join(root, "a.yaml"))
	s := &dir.Source{Paths: []string{root}}
	watchAndRead(t, s, "a")
	write(t, target, testkit.WorkYAML("a")+"---\n"+testkit.WorkYAML("b"))
	expectWorks(t, s, "a")
	s.ReadAll()
	expectWorks(t, s, "a", "b")
}

func TestPipeDoesNotBlockSnapshot(t *testing.T) {
	root := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(root, "a.yaml"), 0o600); err != nil {
		t.Skip("the system makes no pipes:", err)
	}
	got := expectWorks(t, &dir.Source{Paths: []string{root}})
	if len(got.Findings) != 1 || got.Findings[0].Message != "it is not a regular file but a pipe; remove it, or leave it out with --exclude" || !got.Incomplete {
		t.Errorf("got %+v", got)
	}
}
