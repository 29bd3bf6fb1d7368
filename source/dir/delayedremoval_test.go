package dir_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/source/dir"
)

func TestHalfWrittenFileRemovesNothing(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	path := filepath.Join(root, "a.yaml")
	content := testkit.WorkYAML("a") + "---\n" + testkit.WorkYAML("b") + "---\n" + testkit.WorkYAML("c")
	write(t, path, content)
	s := &dir.Source{Paths: []string{root}}
	changes := watchAndRead(t, s, "a", "b", "c")
	before := expectWorks(t, s, "a", "b", "c")
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		t.Fatal(err)
	}
	for part := content + "---\n" + testkit.WorkYAML("d"); part != ""; {
		awaitChange(t, changes)
		got := expectWorks(t, s, "a", "b", "c")
		if got.Incomplete || len(got.Findings)+len(got.Rejected) > 0 || got.Works[0] != before.Works[0] {
			t.Fatalf("with %d bytes to come: %+v", len(part), got)
		}
		n := min(97, len(part))
		if _, err := file.WriteString(part[:n]); err != nil {
			t.Fatal(err)
		}
		part = part[n:]
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	got := waitForWorks(t, s, changes, "a", "b", "c", "d")
	if got.Works[0] != before.Works[0] {
		t.Error("a did not change, and is another")
	}
}

func TestFileThatStaysBrokenIsReported(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	path := filepath.Join(root, "a.yaml")
	write(t, path, testkit.WorkYAML("a"))
	s := &dir.Source{Paths: []string{root}}
	changes := watchAndRead(t, s, "a")
	write(t, path, testkit.WorkYAML("a")+"---\na: [\n")
	awaitChange(t, changes)
	if got := expectWorks(t, s, "a"); !got.Incomplete {
		t.Error("what is broken must be told at once")
	}
	write(t, path, "a: [\n")
	waitForRules(t, s, changes, []string{"KS020", "KS029"}, "a")
	write(t, path, testkit.WorkYAML("a"))
	if got := waitForRules(t, s, changes, nil, "a"); got.Incomplete {
		t.Errorf("got %+v", got)
	}
}

func TestLossCountsOnceFileIsUnchangedForASecond(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	path := filepath.Join(root, "a.yaml")
	write(t, path, testkit.WorkYAML("a")+"---\n"+testkit.WorkYAML("b"))
	s := &dir.Source{Paths: []string{root}}
	changes := watchAndRead(t, s, "a", "b")

	began := time.Now()
	write(t, path, testkit.WorkYAML("a"))
	waitForWorks(t, s, changes, "a")
	if took := time.Since(began); took < time.Second {
		t.Errorf("b was taken away after %s", took)
	}
	began = time.Now()
	remove(t, path)
	awaitChange(t, changes)
	s.ReadAll()
	expectWorks(t, s, "a")
	waitForWorks(t, s, changes)
	if took := time.Since(began); took < time.Second {
		t.Errorf("a was taken away after %s", took)
	}
}

func TestLossOfFileWithUncleanPath(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/./a.yaml"
	write(t, path, testkit.WorkYAML("a")+"---\n"+testkit.WorkYAML("b"))
	s := &dir.Source{Paths: []string{path}}
	changes := watchAndRead(t, s, "a", "b")
	write(t, path, testkit.WorkYAML("a"))
	waitForWorks(t, s, changes, "a")
}

func TestObjectMovedToAnotherFileIsNotLost(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, filepath.Join(root, "b.yaml"), testkit.WorkYAML("a"))
	s := &dir.Source{Paths: []string{root}}
	changes := watchAndRead(t, s, "a")
	rename(t, filepath.Join(root, "b.yaml"), filepath.Join(root, "c.yaml"))
	awaitChange(t, changes)
	got := expectWorks(t, s, "a")
	if at := got.Origins.Of(got.Works[0]).File; at != filepath.Join(root, "c.yaml") || len(got.Findings) > 0 {
		t.Errorf("a is said to be in %s, with %v", at, got.Findings)
	}
}

func TestUnchangedFilesKeepTheirPointers(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(t *testing.T, s *dir.Source){
		"watched":     func(t *testing.T, s *dir.Source) { t.Helper(); watch(t, s) },
		"not watched": func(*testing.T, *dir.Source) {},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for _, each := range strings.Split("abc", "") {
				write(t, filepath.Join(root, each+".yaml"), testkit.WorkYAML(each))
			}
			s := &dir.Source{Paths: []string{root}, Now: time.Now}
			begin(t, s)
			first := expectWorks(t, s, "a", "b", "c")
			for _, touch := range []func(){
				func() {},
				s.ReadAll,
				func() { write(t, filepath.Join(root, "a.yaml"), testkit.WorkYAML("a")) },
				func() { write(t, filepath.Join(root, "c.yaml"), testkit.WorkYAML("c")); s.ReadAll() },
			} {
				touch()
				second := expectWorks(t, s, "a", "b", "c")
				if &first.Works[0] != &second.Works[0] {
					t.Error("the Works are others")
				}
			}
			write(t, filepath.Join(root, "b.yaml"), strings.Replace(testkit.WorkYAML("b"), "Name: p", "Name: q", 1))
			s.ReadAll()
			second := expectWorks(t, s, "a", "b", "c")
			if first.Works[0] != second.Works[0] || first.Works[2] != second.Works[2] || first.Works[1] == second.Works[1] {
				t.Error("b alone has changed")
			}
			if first.Works[1].Spec.PromiseName != "p" || second.Works[1].Spec.PromiseName != "q" {
				t.Error("a snapshot has changed, or did not")
			}
		})
	}
}

func TestQuickChangesOfEqualSizeAreSeen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.yaml")
	for name, now := range map[string]func() time.Time{"with a clock": time.Now, "without one": nil} {
		t.Run(name, func(t *testing.T) {
			s := &dir.Source{Paths: []string{path}, Now: now}
			for i := range 500 {
				name := string(rune('a' + i%2))
				write(t, path, testkit.WorkYAML(name))
				expectWorks(t, s, name)
				if t.Failed() {
					t.Fatalf("at change %d", i)
				}
			}
		})
	}
}
