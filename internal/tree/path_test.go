package tree_test

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

func TestParsePathCleans(t *testing.T) {
	for in, want := range map[string]string{
		"a":             "a",
		"./a":           "a",
		"a//b/./c.yaml": "a/b/c.yaml",
		".github/x":     ".github/x",
		".gitkeep":      ".gitkeep",
		"..a/b..":       "..a/b..",
		"Ünïcode/ x":    "Ünïcode/ x",
	} {
		if got := testkit.Path(in).String(); got != want {
			t.Errorf("ParsePath(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestParsePathRejects(t *testing.T) {
	for name, in := range map[string]string{
		"nothing":               "",
		"the root":              ".",
		"an absolute path":      "/etc/passwd",
		"a directory":           "a/",
		"a way up":              "../a",
		"a way up inside":       "a/../../b",
		"a way up and back":     "a/../b",
		"git's directory":       ".git/config",
		"git's directory below": "a/.git/hooks/x",
		"git in capitals":       "a/.GIT/config",
		"git with a dot":        ".git./config",
		"git as NTFS has it":    "GIT~1/config",
		"a newline":             "a\nb",
		"a NUL":                 "a\x00b",
		"a backslash":           `a\b`,
		"broken UTF-8":          "a\xffb",
		"a name too long":       strings.Repeat("x", 256),
	} {
		t.Run(name, func(t *testing.T) {
			p, err := tree.ParsePath(in)
			if !errors.Is(err, tree.ErrPath) {
				t.Errorf("ParsePath(%q) = %q, %v", in, p, err)
			}
		})
	}
}

func TestParseDirAcceptsEverySpellingOfRoot(t *testing.T) {
	for _, in := range []string{"", ".", "/", "./", "//", "/./"} {
		p, err := tree.ParseDir(in)
		if err != nil || !p.IsRoot() {
			t.Errorf("ParseDir(%q) = %q, %v", in, p, err)
		}
	}
	for _, in := range []string{"a/b", "/a/b", "a/b/", "./a//b/"} {
		if p, err := tree.ParseDir(in); err != nil || p.String() != "a/b" {
			t.Errorf("ParseDir(%q) = %q, %v", in, p, err)
		}
	}
	if _, err := tree.ParseDir("/a/../.."); !errors.Is(err, tree.ErrPath) {
		t.Errorf("a way up was taken: %v", err)
	}
}

func TestWithinStopsAtASlash(t *testing.T) {
	for _, c := range []struct {
		path, dir string
		want      bool
	}{
		{"a/b", "a", true},
		{"a", "a", true},
		{"ab", "a", false},
		{"a/bc/d", "a/b", false},
		{"a", "a/b", false},
	} {
		if got := testkit.Path(c.path).Within(testkit.Path(c.dir)); got != c.want {
			t.Errorf("%q within %q = %v", c.path, c.dir, got)
		}
	}
	if !testkit.Path("a").Within(tree.Path{}) {
		t.Error("everything is within the root")
	}
}

func TestJoinUndoesRelativeTo(t *testing.T) {
	dir, file := testkit.Path("a/b"), testkit.Path("a/b/c/d")
	rel, ok := file.RelativeTo(dir)
	if !ok || rel.String() != "c/d" || dir.Join(rel) != file {
		t.Errorf("RelativeTo = %q, %v", rel, ok)
	}
}

func TestDirAndBaseAndCut(t *testing.T) {
	for _, c := range []struct{ in, dir, base, first, rest string }{
		{"a", ".", "a", "a", "."},
		{"a/b/c", "a/b", "c", "a", "b/c"},
	} {
		p := testkit.Path(c.in)
		first, rest := p.Cut()
		if p.Dir().String() != c.dir || p.Base() != c.base || first != c.first || rest.String() != c.rest {
			t.Errorf("%q: dir %q base %q cut %q %q", p, p.Dir(), p.Base(), first, rest)
		}
	}
}

func TestCompareIsTheOrderOfAWalk(t *testing.T) {
	fsys := fstest.MapFS{}
	for _, name := range []string{"a/z", "a-b/c", "a.yaml", "a/b/c", "a/b-c", "ab/c", "b", "a/b.yaml", "A/x", "a0"} {
		fsys[name] = &fstest.MapFile{}
	}
	var walked []tree.Path
	_ = fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, _ error) error {
		if !d.IsDir() {
			walked = append(walked, testkit.Path(p))
		}
		return nil
	})
	sorted := slices.Clone(walked)
	slices.Reverse(sorted)
	slices.SortFunc(sorted, tree.Compare)
	if !slices.Equal(walked, sorted) {
		t.Errorf("walk %v\nsort %v", walked, sorted)
	}
}

func FuzzParsePath(f *testing.F) {
	for _, seed := range []string{"a/b", "../x", "/", "a//b", ".git", "a/./b/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := tree.ParsePath(s)
		if err != nil {
			return
		}
		if again := testkit.Path(p.String()); again != p {
			t.Errorf("%q is not stable: %q", p, again)
		}
		if full := path.Join("/root", p.String()); !strings.HasPrefix(full, "/root/") {
			t.Errorf("%q escapes to %q", s, full)
		}
	})
}

func TestBelowReturnsSliceWithinDirectory(t *testing.T) {
	var all []tree.Path
	for _, s := range []string{"a", "a/b", "a/b/c", "a/b-c", "a-b/x", "a.yaml", "ab/x", "b/y"} {
		all = append(all, testkit.Path(s))
	}
	slices.SortFunc(all, tree.Compare)
	for _, dir := range []string{"a", "a/b", "a-b", "ab", "b", "c", "0"} {
		var want []tree.Path
		for _, p := range all {
			if p.Within(testkit.Path(dir)) {
				want = append(want, p)
			}
		}
		if got := tree.Below(all, testkit.Path(dir)); !slices.Equal(got, want) {
			t.Errorf("below %q: %v, want %v", dir, got, want)
		}
	}
	if got := tree.Below(all, tree.Path{}); !slices.Equal(got, all) {
		t.Errorf("below the root: %v", got)
	}
}

func TestSetContainsFilesAndDirectories(t *testing.T) {
	var set tree.Set
	if set.Has(testkit.Path("a")) {
		t.Error("an empty set has nothing")
	}
	set.AddFile(testkit.Path("a/b.yaml"))
	set.AddDir(testkit.Path("c/d"))
	for path, want := range map[string]bool{
		"a/b.yaml": true, "a/b.yaml/x": false, "a": false,
		"c/d": true, "c/d/e/f": true, "c/de": false, "c": false,
	} {
		if set.Has(testkit.Path(path)) != want {
			t.Errorf("has %q = %v", path, !want)
		}
	}
}
