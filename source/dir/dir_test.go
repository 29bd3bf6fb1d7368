package dir_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/source/dir"
)

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func names(s source.Snapshot) []string {
	var got []string
	for _, w := range s.Works {
		got = append(got, w.Name)
	}
	return got
}

func expectWorks(t *testing.T, s *dir.Source, want ...string) source.Snapshot {
	t.Helper()
	snapshot, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, names(snapshot)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	return snapshot
}

func TestSnapshotOfADirectory(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "a.yaml"), testkit.WorkYAML("a"))
	write(t, filepath.Join(root, "b.yml"), testkit.WorkYAML("b"))
	write(t, filepath.Join(root, "c.json"), `{"apiVersion": "platform.kratix.io/v1alpha1", "kind": "Work", "metadata": {"name": "c"}, "spec": {"promiseName": "p"}}`)
	write(t, filepath.Join(root, "README.md"), testkit.WorkYAML("no-yaml"))
	write(t, filepath.Join(root, ".hidden.yaml"), testkit.WorkYAML("hidden"))
	write(t, filepath.Join(root, ".git", "d.yaml"), testkit.WorkYAML("hidden-directory"))
	write(t, filepath.Join(root, "below", "deep", "d.yaml"), testkit.WorkYAML("d"))
	write(t, filepath.Join(root, "like-a-file.yaml", "e.yaml"), testkit.WorkYAML("e"))

	t.Run("alone", func(t *testing.T) {
		got := expectWorks(t, &dir.Source{Paths: []string{root}}, "a", "b", "c")
		if len(got.Findings) != 1 || got.Findings[0].Message != "2 sub-directories are not read without -R" || got.Incomplete {
			t.Errorf("got findings %v, incomplete: %t", got.Findings, got.Incomplete)
		}
		if at := got.Origins.Of(got.Works[0]); at.File != filepath.Join(root, "a.yaml") || at.Line != 1 {
			t.Errorf("a is said to be from %s", at)
		}
	})
	t.Run("recursively", func(t *testing.T) {
		expectWorks(t, &dir.Source{Paths: []string{root}, Recursive: true}, "a", "b", "c", "d", "e")
	})
	t.Run("files by name, whatever their ending", func(t *testing.T) {
		expectWorks(t, &dir.Source{Paths: []string{filepath.Join(root, "README.md"), filepath.Join(root, ".hidden.yaml")}}, "hidden", "no-yaml")
	})
	t.Run("several paths", func(t *testing.T) {
		expectWorks(t, &dir.Source{Paths: []string{filepath.Join(root, "below", "deep"), filepath.Join(root, "a.yaml")}}, "a", "d")
	})
	t.Run("a hidden directory by name", func(t *testing.T) {
		expectWorks(t, &dir.Source{Paths: []string{filepath.Join(root, ".git")}, Recursive: true}, "hidden-directory")
	})
}

func TestSnapshotFollowsLinksToFiles(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "..2026_01", "a.yaml"), testkit.WorkYAML("a"))
	link(t, "..2026_01", filepath.Join(root, "..data"))
	link(t, filepath.Join("..data", "a.yaml"), filepath.Join(root, "a.yaml"))
	for _, recursive := range []bool{false, true} {
		got := expectWorks(t, &dir.Source{Paths: []string{root}, Recursive: recursive}, "a")
		if len(got.Findings) > 0 {
			t.Errorf("got %v", got.Findings)
		}
	}
}

func TestUnreadableFileIsAFinding(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "a.yaml"), testkit.WorkYAML("a"))
	dangling, directory := filepath.Join(root, "b.yaml"), filepath.Join(root, "c.yaml")
	link(t, "nowhere", dangling)
	link(t, t.TempDir(), directory)
	got := expectWorks(t, &dir.Source{Paths: []string{root}}, "a")
	var said []string
	for _, f := range got.Findings {
		said = append(said, fmt.Sprintf("%s %s: %s", f.Rule.Name, f.Place, f.Message))
	}
	want := []string{
		"UnreadableInput " + dangling + ": it is a symbolic link to nowhere, which is not there; correct or remove the link",
		"UnreadableInput " + directory + ": it is a symbolic link to a directory, and such links are not followed; name the directory itself as an input",
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if !got.Incomplete {
		t.Error("the snapshot must say that it is incomplete")
	}
}

func TestMissingInputPathIsAnError(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	s := &dir.Source{Paths: []string{missing}}
	want := "cannot read the path " + missing + ": no such file or directory"
	if _, err := s.Snapshot(t.Context()); !errors.Is(err, dir.ErrPath) || err.Error() != want {
		t.Errorf("Snapshot says %v, want %s", err, want)
	}
	if _, err := s.Changes(t.Context()); !errors.Is(err, dir.ErrPath) || err.Error() != want {
		t.Errorf("Changes says %v, want %s", err, want)
	}
}

func TestSnapshotEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (&dir.Source{Paths: []string{t.TempDir()}}).Snapshot(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestStandardInput(t *testing.T) {
	t.Run("is kept for the next Snapshot", func(t *testing.T) {
		s := &dir.Source{Paths: []string{dir.Stdin}, Stdin: strings.NewReader(testkit.WorkYAML("a"))}
		got := expectWorks(t, s, "a")
		if at := got.Origins.Of(got.Works[0]).File; at != "standard input" {
			t.Errorf("a is said to be from %q", at)
		}
		expectWorks(t, s, "a")
	})
	t.Run("that breaks is a finding", func(t *testing.T) {
		got := expectWorks(t, &dir.Source{Paths: []string{dir.Stdin}, Stdin: iotest.ErrReader(errors.New("the pipe broke"))})
		if len(got.Findings) != 1 || got.Findings[0].Message != "the pipe broke" || !got.Incomplete {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("never changes", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		changes, err := (&dir.Source{Paths: []string{dir.Stdin}}).Changes(ctx)
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		if _, open := <-changes; open {
			t.Error("a change before the end")
		}
	})
}

const patience = 20 * time.Second

func awaitChange(t *testing.T, changes <-chan struct{}) {
	t.Helper()
	select {
	case _, open := <-changes:
		if !open {
			t.Fatal("the changes have ended")
		}
	case <-time.After(patience):
		t.Fatal("the change is not told")
	}
}

func noChange(t *testing.T, changes <-chan struct{}) {
	t.Helper()
	select {
	case <-changes:
		t.Fatal("a change is told, and nothing changed")
	case <-time.After(500 * time.Millisecond):
	}
}

func watch(t *testing.T, s *dir.Source) <-chan struct{} {
	t.Helper()
	changes, err := s.Changes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

func TestChanges(t *testing.T) {
	tests := map[string]struct {
		// path is relative to the root.
		path      string
		recursive bool
		before    func(t *testing.T, root string)
		change    func(t *testing.T, root string)
		want      []string
	}{
		"a new file": {
			change: func(t *testing.T, root string) {
				t.Helper()
				write(t, filepath.Join(root, "b.yaml"), testkit.WorkYAML("b"))
			},
			want: []string{"a", "b"},
		},
		"a file that is written to": {
			change: func(t *testing.T, root string) {
				t.Helper()
				write(t, filepath.Join(root, "a.yaml"), testkit.WorkYAML("b"))
			},
			want: []string{"b"},
		},
		"a file that is replaced by a rename": {
			before: func(t *testing.T, root string) {
				t.Helper()
				write(t, filepath.Join(root, "new.tmp"), testkit.WorkYAML("b"))
			},
			change: func(t *testing.T, root string) {
				t.Helper()
				rename(t, filepath.Join(root, "new.tmp"), filepath.Join(root, "a.yaml"))
			},
			want: []string{"b"},
		},
		"a file that goes": {
			change: func(t *testing.T, root string) {
				t.Helper()
				if err := os.Remove(filepath.Join(root, "a.yaml")); err != nil {
					t.Error(err)
				}
			},
		},
		"one file that is replaced by a rename": {
			path: "a.yaml",
			before: func(t *testing.T, root string) {
				t.Helper()
				write(t, filepath.Join(root, "new.tmp"), testkit.WorkYAML("b"))
			},
			change: func(t *testing.T, root string) {
				t.Helper()
				rename(t, filepath.Join(root, "new.tmp"), filepath.Join(root, "a.yaml"))
			},
			want: []string{"b"},
		},
		"a mounted ConfigMap": {before: mount, change: remount, want: []string{"c"}},
		"a mounted ConfigMap, recursively": {
			recursive: true, before: mount, change: remount, want: []string{"c"},
		},
		"one file of a mounted ConfigMap": {path: "a.yaml", before: mount, change: remount, want: []string{"c"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			write(t, filepath.Join(root, "a.yaml"), testkit.WorkYAML("a"))
			if test.before != nil {
				test.before(t, root)
			}
			s := &dir.Source{Paths: []string{filepath.Join(root, test.path)}, Recursive: test.recursive}
			changes := watch(t, s)
			test.change(t, root)
			awaitChange(t, changes)
			expectWorks(t, s, test.want...)
		})
	}
}

func mount(t *testing.T, root string) {
	t.Helper()
	if err := os.Remove(filepath.Join(root, "a.yaml")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(root, "..2026_01", "a.yaml"), testkit.WorkYAML("a"))
	link(t, "..2026_01", filepath.Join(root, "..data"))
	link(t, filepath.Join("..data", "a.yaml"), filepath.Join(root, "a.yaml"))
}

func remount(t *testing.T, root string) {
	t.Helper()
	write(t, filepath.Join(root, "..2026_02", "a.yaml"), testkit.WorkYAML("c"))
	link(t, "..2026_02", filepath.Join(root, "..data_tmp"))
	rename(t, filepath.Join(root, "..data_tmp"), filepath.Join(root, "..data"))
	if err := os.RemoveAll(filepath.Join(root, "..2026_01")); err != nil {
		t.Fatal(err)
	}
}

func TestChangesPicksUpNewDirectories(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	s := &dir.Source{Paths: []string{root}, Recursive: true}
	changes := watch(t, s)
	if err := os.MkdirAll(filepath.Join(root, "one", "two"), 0o750); err != nil {
		t.Fatal(err)
	}
	awaitChange(t, changes)
	write(t, filepath.Join(root, "one", "two", "a.yaml"), testkit.WorkYAML("a"))
	awaitChange(t, changes)
	expectWorks(t, s, "a")
	write(t, filepath.Join(root, "three", "four", "b.yaml"), testkit.WorkYAML("b"))
	awaitChange(t, changes)
	expectWorks(t, s, "a", "b")
}

func TestChangesIgnoresFilesThatAreNotRead(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, filepath.Join(root, "below", "a.yaml"), testkit.WorkYAML("a"))
	write(t, filepath.Join(root, ".git", "objects", "index"), "")
	for _, recursive := range []bool{false, true} {
		changes := watch(t, &dir.Source{Paths: []string{root}, Recursive: recursive})
		write(t, filepath.Join(root, ".git", "objects", "index"), "x")
		if !recursive {
			write(t, filepath.Join(root, "below", "a.yaml"), testkit.WorkYAML("b"))
		}
		noChange(t, changes)
	}
}

func TestBurstIsReportedTogether(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	changes := watch(t, &dir.Source{Paths: []string{root}})
	for i := range 50 {
		write(t, filepath.Join(root, fmt.Sprintf("%d.yaml", i)), testkit.WorkYAML("a"))
	}
	awaitChange(t, changes)
	// A slow disk may cause several notifications, but not one for each file.
	for count := 1; ; count++ {
		select {
		case <-changes:
			if count > 10 {
				t.Fatal("every file is told on its own")
			}
			continue
		case <-time.After(500 * time.Millisecond):
		}
		return
	}
}

func TestChangesEndWithTheContext(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	changes, err := (&dir.Source{Paths: []string{root}, Recursive: true}).Changes(ctx)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(root, "a.yaml"), testkit.WorkYAML("a"))
	awaitChange(t, changes)
	cancel()
	select {
	case _, open := <-changes:
		if open {
			t.Error("a change after the end")
		}
	case <-time.After(patience):
		t.Error("the channel is not closed")
	}
}
