package git_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

func isExcluded(t *testing.T, name string) bool {
	t.Helper()
	d, p := &kratix.Destination{}, &kratix.WorkPlacement{}
	d.Name = "w"
	path, err := tree.ParsePath(name)
	if err != nil {
		return true
	}
	dir := testkit.Path("w/resources")
	rendering := layout.Rendering{Root: dir, Dir: dir, Files: []layout.File{{File: tree.File{Path: path}}}}
	findings, _ := layout.LimitsOf(kratix.GitStateStoreKind, tree.Path{}, nil).Check(d, p, rendering, testkit.Path("r"))
	return len(findings) > 0
}

func TestServerWithFsckAcceptsPathsWithinTheLimits(t *testing.T) {
	const longLine = 5000
	for name, c := range map[string]struct {
		path, content string
		held, refused bool
	}{
		"a file":                          {path: "a.yaml"},
		"spaces, accents and emoji":       {path: "Ü b/é\u0301/\U0001f600.yaml"},
		"a dash in front":                 {path: "-rf/--upload-pack=x"},
		"Windows' names":                  {path: "CON/aux.txt/a:b"},
		"a name that begins like git's":   {path: "git/gitmodules/x.git"},
		"a placeholder":                   {path: "a/.gitkeep"},
		"a .sourceignore":                 {path: "a/.sourceignore", content: "*.yaml\n"},
		"the longest name":                {path: "a/" + strings.Repeat("n", 255)},
		"a short name of another":         {path: "gitmod~10/x"},
		"a .gitmodules that runs":         {path: ".gitmodules", content: "[submodule \"x\"]\n\tpath = x\n\turl = -u./payload\n", held: true, refused: true},
		"a .gitmodules in a directory":    {path: "a/.gitmodules", content: "[submodule \"../x\"]\n\tpath = x\n\turl = u\n", held: true, refused: true},
		"a .gitmodules as NTFS has it":    {path: "gitmod~1", content: "[submodule \"../x\"]\n\tpath = x\n\turl = u\n", held: true, refused: true},
		"a .gitmodules as HFS has it":     {path: ".git\u200cmodules", content: "[submodule \"../x\"]\n\tpath = x\n\turl = u\n", held: true, refused: true},
		"a long line in a .gitattributes": {path: "a/.gitattributes", content: strings.Repeat("x", longLine) + " text\n", held: true, refused: true},
		"a .gitignore":                    {path: ".gitignore", content: "*\n", held: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			repository := gittest.Bare(t)
			gittest.Git(t, repository, "config", "receive.fsckObjects", "true")
			store := open(t, git.Config{URL: repository})
			path := "w/resources/" + c.path
			if held := isExcluded(t, path); held != c.held {
				t.Errorf("held back: %v", held)
			}
			_, err := store.Apply(t.Context(), statestore.ChangeSet{Write: testkit.Files(map[string]string{path: c.content})})
			if refused := err != nil; refused != c.refused {
				t.Errorf("refused: %v: %v", refused, err)
			}
		})
	}
}

// TestLongestPathCanBeCheckedOut clones repositories to a directory whose own path has 254 bytes.
func TestLongestPathCanBeCheckedOut(t *testing.T) {
	longest := "w/resources" + strings.Repeat("/"+strings.Repeat("d", 200), 19) + "/"
	longest += strings.Repeat("f", 3840-len(longest))
	if isExcluded(t, longest) || !isExcluded(t, longest+"f") {
		t.Error("3,840 bytes are not the limit")
	}
	for path, fits := range map[string]bool{longest: true, "w/resources" + strings.Repeat("/"+strings.Repeat("d", 200), 21): false} {
		repository := gittest.Bare(t)
		storetest.Write(t, open(t, git.Config{URL: repository}), map[string]string{path: "text"})
		top := t.TempDir()
		clone := filepath.Join(top, strings.Repeat("c", 254-len(top)-1))
		err := clones(t, repository, clone)
		if (err == nil) != fits {
			t.Errorf("a path of %d bytes: %v", len(path), err)
		}
	}
}

func clones(t *testing.T, repository, into string) error {
	t.Helper()
	command := exec.CommandContext(t.Context(), "git", "clone", "--quiet", "--branch", "main", repository, into)
	command.Env = gittest.Env()
	if said, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %.200s", err, said)
	}
	return nil
}
