package statestore_test

import (
	"slices"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

func TestObstaclesAreChangedListedAndCompared(t *testing.T) {
	var none statestore.Obstacles
	if none.With(nil) != none {
		t.Error("no change makes other obstacles")
	}
	some := none.With([]statestore.Obstacle{{Path: testkit.Path("b/link"), Kind: "a symlink"}, {Path: testkit.Path("a"), Kind: "a submodule"}})
	if kind, there := some.At(testkit.Path("b/link")); kind != "a symlink" || !there {
		t.Errorf("%q, %v", kind, there)
	}
	if kind, there := some.At(testkit.Path("b")); kind != "" || there {
		t.Errorf("a directory is %q", kind)
	}
	want := []statestore.Obstacle{{Path: testkit.Path("a"), Kind: "a submodule"}, {Path: testkit.Path("b/link"), Kind: "a symlink"}}
	if got := slices.Collect(some.Below(tree.Path{})); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	fewer := some.With([]statestore.Obstacle{{Path: testkit.Path("a"), Gone: true}})
	if got := slices.Collect(fewer.Below(tree.Path{})); !slices.Equal(got, want[1:]) {
		t.Errorf("%v", got)
	}
	if !fewer.Same(some, testkit.Path("b")) || fewer.Same(some, testkit.Path("a")) {
		t.Error("b is the same in both, and a is not")
	}
}
