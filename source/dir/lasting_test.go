package dir_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/source/dir"
)

func waitForRules(t *testing.T, s *dir.Source, changes <-chan struct{}, want []string, works ...string) source.Snapshot {
	t.Helper()
	timeout := time.After(patience)
	var got []string
	for {
		select {
		case <-changes:
		case <-timeout:
			t.Fatalf("the rules are %q, want %q", got, want)
		}
		snapshot := expectWorks(t, s, works...)
		got = nil
		for _, f := range snapshot.Findings {
			got = append(got, f.Rule.ID)
		}
		if slices.Equal(got, want) {
			return snapshot
		}
	}
}

// removalDelay is longer than unchangedTime.
const removalDelay = 3 * time.Second

func TestRemovalCountsAfterRemovalDelay(t *testing.T) {
	tests := map[string]struct {
		files map[string]string
		do    func(t *testing.T, root string)
		want  []string
	}{
		"a deleted file": {
			map[string]string{"a.yaml": testkit.WorkYAML("a"), "b.yaml": testkit.WorkYAML("b")},
			func(t *testing.T, root string) { t.Helper(); remove(t, filepath.Join(root, "b.yaml")) }, []string{"a"},
		},
		"a file with another ending": {
			map[string]string{"a.yaml": testkit.WorkYAML("a"), "b.yaml": testkit.WorkYAML("b")},
			func(t *testing.T, root string) {
				t.Helper()
				rename(t, filepath.Join(root, "b.yaml"), filepath.Join(root, "b.yaml.old"))
			}, []string{"a"},
		},
		"a document that is taken out": {
			map[string]string{"a.yaml": testkit.WorkYAML("a") + "---\n" + testkit.WorkYAML("b")},
			func(t *testing.T, root string) {
				t.Helper()
				write(t, filepath.Join(root, "a.yaml"), testkit.WorkYAML("a"))
			}, []string{"a"},
		},
		"a document that is commented out": {
			map[string]string{"a.yaml": testkit.WorkYAML("a"), "b.yaml": testkit.WorkYAML("b")},
			func(t *testing.T, root string) {
				t.Helper()
				write(t, filepath.Join(root, "b.yaml"), "# "+strings.ReplaceAll(testkit.WorkYAML("b"), "\n", "\n# "))
			}, []string{"a"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			for file, content := range test.files {
				write(t, filepath.Join(root, file), content)
			}
			s := &dir.Source{Paths: []string{root}, RemovalDelay: removalDelay}
			changes := watchAndRead(t, s, "a", "b")
			began := time.Now()
			test.do(t, root)
			waitForWorks(t, s, changes, test.want...)
			if took := time.Since(began); took < removalDelay {
				t.Errorf("the removal counted after %s", took)
			}
		})
	}
}

func TestMissingObjectsAreCountedDuringRemovalDelay(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"a", "b", "c"} {
		write(t, filepath.Join(root, name+".yaml"), testkit.WorkYAML(name))
	}
	s := &dir.Source{Paths: []string{root}, RemovalDelay: removalDelay}
	changes := watchAndRead(t, s, "a", "b", "c")
	remove(t, filepath.Join(root, "b.yaml"))
	remove(t, filepath.Join(root, "c.yaml"))
	most := 0
	for timeout := time.After(patience); ; {
		select {
		case <-changes:
		case <-timeout:
			t.Fatal("the removal never counts")
		}
		snapshot, err := s.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, snapshot.Missing)
		if len(snapshot.Works) == 1 {
			if most != 2 || snapshot.Missing != 0 {
				t.Errorf("at most %d were missing, and %d are in the end", most, snapshot.Missing)
			}
			return
		}
	}
}

func TestOtherObjectsOfFileAreUpdatedDuringRemovalDelay(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	path := filepath.Join(root, "a.yaml")
	write(t, path, testkit.WorkYAML("a")+"---\n"+testkit.WorkYAML("b"))
	s := &dir.Source{Paths: []string{root}, RemovalDelay: time.Minute}
	changes := watchAndRead(t, s, "a", "b")
	write(t, path, testkit.WorkYAML("a")+"---\n"+testkit.WorkYAML("c"))
	got := waitForWorks(t, s, changes, "a", "b", "c")
	if len(got.Findings) > 0 || got.Incomplete {
		t.Errorf("a whole file needs no finding: %v", got.Findings)
	}
	write(t, path, testkit.WorkYAML("a")+"---\n"+testkit.WorkYAML("b")+"---\n"+testkit.WorkYAML("d"))
	waitForWorks(t, s, changes, "a", "b", "c", "d") // c is removed now, and b exists again
}

func TestTruncatedFileKeepsItsObjectsWithFinding(t *testing.T) {
	for name, broken := range map[string]string{"empty": "", "white space": "\n", "zero bytes": "\x00\x00\x00\x00", "no YAML": "kind: [\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			path := filepath.Join(root, "a.yaml")
			write(t, path, testkit.WorkYAML("a")+"---\n"+testkit.WorkYAML("b"))
			write(t, filepath.Join(root, "c.yaml"), testkit.WorkYAML("c"))
			s := &dir.Source{Paths: []string{root}} // without RemovalDelay, the objects of a broken file stay too
			changes := watchAndRead(t, s, "a", "b", "c")
			write(t, path, broken)
			want := []string{"KS020", "KS029"}
			if strings.TrimSpace(broken) == "" {
				want = want[1:]
			}
			got := waitForRules(t, s, changes, want, "a", "b", "c")
			kept := got.Findings[len(got.Findings)-1]
			if kept.Place.File != path || !strings.HasSuffix(kept.Message, "still counts: Work default/a and 1 more") {
				t.Errorf("it says %q of %s", kept.Message, kept.Place)
			}
			for deadline := time.Now().Add(2 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
				s.ReadAll()
				expectWorks(t, s, "a", "b", "c")
			}
			remove(t, filepath.Join(root, "c.yaml")) // the loss of another file still takes effect
			waitForWorks(t, s, changes, "a", "b")
			write(t, path, testkit.WorkYAML("a")+"---\n"+testkit.WorkYAML("b"))
			waitForRules(t, s, changes, nil, "a", "b")
			write(t, path, broken)
			waitForRules(t, s, changes, want, "a", "b")
			remove(t, path) // the deletion confirms that the objects are removed
			waitForWorks(t, s, changes)
		})
	}
}

func TestTruncatedGroupKeepsItsWorkloadsDuringRemovalDelay(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	path := filepath.Join(root, "a.yaml")
	group := strings.Replace(testkit.WorkYAML("a"), "{promiseName: p}", "\n  promiseName: p", 1) + "  workloadGroups:\n  - id: " + kratix.GroupID(".") + "\n    directory: .\n    workloads:\n"
	write(t, path, group+"    - {filepath: f, content: x}\n")
	s := &dir.Source{Paths: []string{root}, RemovalDelay: removalDelay}
	changes := watchAndRead(t, s, "a")
	began := time.Now()
	write(t, path, group)
	for timeout := time.After(patience); ; {
		select {
		case <-changes:
		case <-timeout:
			t.Fatal("what is left of the file never counts")
		}
		snapshot := expectWorks(t, s, "a")
		if len(snapshot.Works[0].Spec.WorkloadGroups[0].Workloads) > 0 {
			continue
		}
		if took := time.Since(began); took < removalDelay {
			t.Errorf("the loss counted after %s", took)
		}
		return
	}
}

func TestCheckoutOfBranchWithSameWorksRemovesNothing(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	names := strings.Split("abcdefgh", "")
	for _, name := range names {
		write(t, filepath.Join(root, name+".yaml"), testkit.WorkYAML(name))
	}
	s := &dir.Source{Paths: []string{root}, RemovalDelay: removalDelay}
	remove(t, filepath.Join(root, "c.yaml")) // git checkout has deleted the file when the process starts
	changes := watchAndRead(t, s, "a", "b", "d", "e", "f", "g", "h")
	if got := expectWorks(t, s, "a", "b", "d", "e", "f", "g", "h"); !got.Settling {
		t.Error("what was missing at the start may not be gone")
	}
	write(t, filepath.Join(root, "c.yaml"), testkit.WorkYAML("c"))
	waitForWorks(t, s, changes, names...)
	for _, name := range names {
		remove(t, filepath.Join(root, name+".yaml"))
		s.ReadAll()
		expectWorks(t, s, names...)
		time.Sleep(100 * time.Millisecond)
		expectWorks(t, s, names...)
	}
	for _, name := range names {
		write(t, filepath.Join(root, "moved-"+name+".yaml"), "# moved\n"+testkit.WorkYAML(name))
		s.ReadAll()
		expectWorks(t, s, names...)
	}
	for deadline := time.Now().Add(removalDelay + time.Second); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if got := expectWorks(t, s, names...); len(got.Findings) > 0 {
			t.Fatalf("got %v", got.Findings)
		}
	}
	if got := expectWorks(t, s, names...); got.Settling {
		t.Error("the files have been watched for long enough")
	}
}

func TestMissingReportsSubdirectories(t *testing.T) {
	tests := map[string]struct {
		files     map[string]string
		recursive bool
		want      []string
	}{
		"nothing below": {map[string]string{"a.yaml": testkit.WorkYAML("a")}, false, nil},
		"one": {
			map[string]string{"below/a.yaml": testkit.WorkYAML("a"), "below/d.yaml": "kind: ConfigMap\n", ".git/b.yaml": testkit.WorkYAML("b"), "below/note.txt": testkit.WorkYAML("c")},
			false, []string{"1 Work is in a sub-directory of ROOT; -R reads it"},
		},
		"several, deep": {
			map[string]string{"below/a.yaml": testkit.WorkYAML("a"), "below/deep/b.yaml": testkit.WorkYAML("b") + "---\n" + testkit.WorkYAML("c"), "top.yaml": testkit.WorkYAML("top")},
			false, []string{"3 Works are in sub-directories of ROOT; -R reads them"},
		},
		"they are read": {map[string]string{"below/a.yaml": testkit.WorkYAML("a")}, true, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			for file, content := range test.files {
				write(t, filepath.Join(root, file), content)
			}
			s := &dir.Source{Paths: []string{root}, Recursive: test.recursive}
			got := s.Missing(t.Context())
			for i := range got {
				got[i] = strings.ReplaceAll(got[i], root, "ROOT")
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestMissingReadsAFewHundredFiles(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	below := filepath.Join(root, "below")
	if err := os.Mkdir(below, 0o750); err != nil {
		t.Fatal(err)
	}
	for i := range 400 {
		write(t, filepath.Join(below, string(rune('a'+i%26))+strings.Repeat("x", i/26)+".yaml"), testkit.WorkYAML("a"))
	}
	want := "at least 300 Works are in sub-directories of " + root + "; -R reads them"
	if got := (&dir.Source{Paths: []string{root}}).Missing(t.Context()); !slices.Equal(got, []string{want}) {
		t.Errorf("got %q", got)
	}
}
