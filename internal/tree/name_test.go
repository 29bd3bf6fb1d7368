package tree_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

func TestPlainName(t *testing.T) {
	for in, want := range map[string]string{
		".gitmodules":                    ".gitmodules",
		".GitModules":                    ".gitmodules",
		".gitmodules. .":                 ".gitmodules",
		".gitmodules::$INDEX_ALLOCATION": ".gitmodules",
		".git\u200cmodules\ufeff":        ".gitmodules",
		".\u202egitattributes :x":        ".gitattributes",
		"GITMOD~1":                       "gitmod~1",
		"e\u0301":                        "\u00e9",
		"\u00c9":                         "\u00e9",
		"\u212aratix":                    "kratix",
		"plain.yaml":                     "plain.yaml",
	} {
		if got := tree.PlainName(in); got != want {
			t.Errorf("PlainName(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestParsePathRejectsEverySpellingOfGitDirectory(t *testing.T) {
	for _, name := range []string{".git", ".g\u200cit", ".git::$INDEX_ALLOCATION", ".git :x", ".Git. ", "git~1", "GIT~1:x", "\ufeff.git", ".gi\u0131t"} {
		_, err := tree.ParsePath("a/" + name + "/config")
		if refused := errors.Is(err, tree.ErrPath); refused == (name == ".gi\u0131t") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestLongNameHasItsOwnError(t *testing.T) {
	for name, long := range map[string]bool{strings.Repeat("x", 255): false, strings.Repeat("x", 256): true, strings.Repeat("é", 128): true} {
		if _, err := tree.ParsePath("a/" + name); errors.Is(err, tree.ErrLong) != long || errors.Is(err, tree.ErrPath) != long {
			t.Errorf("%d bytes: %v", len(name), err)
		}
	}
}

func TestCaseCollisions(t *testing.T) {
	for name, c := range map[string]struct {
		paths []string
		want  map[int]int
	}{
		"nothing has capitals":           {paths: []string{"a", "b/a"}},
		"capitals that meet nothing":     {paths: []string{"A", "b/A"}},
		"case":                           {paths: []string{"a/x", "A/x", "a/X"}, want: map[int]int{1: 0, 2: 0}},
		"normalisation":                  {paths: []string{"\u00e9", "e\u0301"}, want: map[int]int{1: 0}},
		"one directory in two spellings": {paths: []string{"a/x", "A/y"}},
		"a file and a directory":         {paths: []string{"app/x", "App"}, want: map[int]int{0: 1}},
		"a file and its own directory":   {paths: []string{"App/x", "App"}},
		"one path twice":                 {paths: []string{"A", "A"}},
	} {
		t.Run(name, func(t *testing.T) {
			var paths []tree.Path
			for _, s := range c.paths {
				paths = append(paths, testkit.Path(s))
			}
			if got := tree.CaseCollisions(paths); !maps.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

func FuzzCaseCollisions(f *testing.F) {
	f.Add("a/x A/X b")
	f.Add("app App/y APP/Y/z")
	f.Add("\u00e9 e\u0301/x")
	f.Fuzz(func(t *testing.T, text string) {
		var paths []tree.Path
		for s := range strings.FieldsSeq(text) {
			if p, err := tree.ParsePath(s); err == nil {
				paths = append(paths, p)
			}
		}
		got := tree.CaseCollisions(paths)
		for i, p := range paths {
			_, told := got[i]
			if is := slices.ContainsFunc(paths, func(other tree.Path) bool { return meetsAlike(p, other) }); told && !is {
				t.Errorf("%q is told of in %q", p, paths)
			}
		}
		for i, p := range paths {
			for j, other := range paths {
				_, one := got[i]
				_, two := got[j]
				if !one && !two && meetsAlike(p, other) {
					t.Errorf("neither %q nor %q is told of", p, other)
				}
			}
		}
	})
}

func meetsAlike(p, other tree.Path) bool {
	for at := p; !at.IsRoot(); at = at.Dir() {
		if at != other && at.Fold() == other.Fold() {
			return true
		}
	}
	return false
}
