package statestore

import (
	"slices"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

func TestObstaclesAreChangedListedAndCompared(t *testing.T) {
	path := func(s string) tree.Path {
		p, err := tree.ParsePath(s)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	var none Obstacles
	if none.With(nil) != none {
		t.Error("no change makes other obstacles")
	}
	some := none.With([]Obstacle{{Path: path("b/link"), Kind: "a symlink"}, {Path: path("a"), Kind: "a submodule"}})
	if kind, there := some.At(path("b/link")); kind != "a symlink" || !there {
		t.Errorf("%q, %v", kind, there)
	}
	if kind, there := some.At(path("b")); kind != "" || there {
		t.Errorf("a directory is %q", kind)
	}
	want := []Obstacle{{Path: path("a"), Kind: "a submodule"}, {Path: path("b/link"), Kind: "a symlink"}}
	if got := slices.Collect(some.Below(tree.Path{})); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	fewer := some.With([]Obstacle{{Path: path("a"), Gone: true}})
	if got := slices.Collect(fewer.Below(tree.Path{})); !slices.Equal(got, want[1:]) {
		t.Errorf("%v", got)
	}
	if !fewer.Same(some, path("b")) || fewer.Same(some, path("a")) {
		t.Error("b is the same in both, and a is not")
	}
}
