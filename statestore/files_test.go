package statestore_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// somePath returns a random path of few names.
func somePath(t testing.TB, draw *rand.Rand) tree.Path {
	names := []string{"a", "a-b", "a.yaml", "ab", "b", "é"}
	p := tree.Path{}
	for range 1 + draw.IntN(4) {
		p = p.Join(testkit.Path(names[draw.IntN(len(names))]))
	}
	return p
}

func TestFilesEqualTheMapOfTheSameChanges(t *testing.T) {
	for seed := range uint64(300) {
		draw := rand.New(rand.NewPCG(seed, 1))
		files, want := statestore.Files{}, map[tree.Path]statestore.Digest{}
		for step := range 20 {
			before, held := files, maps.Clone(want)
			var changes []statestore.FileChange
			for range draw.IntN(8) {
				change := statestore.FileChange{Path: somePath(t, draw), Digest: statestore.Digest{byte(draw.IntN(3))}, Gone: draw.IntN(3) == 0}
				changes = append(changes, change)
				if change.Gone {
					delete(want, change.Path)
				} else {
					want[change.Path] = change.Digest
				}
			}
			files = files.With(changes)
			place := fmt.Sprintf("seed %d, step %d", seed, step)
			compareAll(t, place, files, want)
			compareAll(t, place+", the ones before", before, held)
			compareBelow(t, place, files, want, somePath(t, draw))
			compareWidest(t, place, files, want)
			compareFrom(t, place, files, want, somePath(t, draw))
			compareFrom(t, place, files, want, tree.Path{})
			if changed := !maps.Equal(held, want); files.Same(before, tree.Path{}) == changed {
				t.Fatalf("%s: changed is %v, and Same says otherwise", place, changed)
			}
			compareAll(t, place+", from nothing", statestore.FilesOf(want), want)
			compareDiffering(t, place, files, before, want, held)
			compareDiffering(t, place+", from nothing", statestore.FilesOf(want), before, want, held)
		}
	}
}

func compareDiffering(t *testing.T, place string, a, b statestore.Files, inA, inB map[tree.Path]statestore.Digest) {
	t.Helper()
	var want []tree.Path
	for path, sum := range inA {
		if other, there := inB[path]; !there || other != sum {
			want = append(want, path)
		}
	}
	for path := range inB {
		if _, there := inA[path]; !there {
			want = append(want, path)
		}
	}
	slices.SortFunc(want, tree.Compare)
	if got := slices.Collect(a.Differing(b)); !slices.Equal(got, want) {
		t.Fatalf("%s: %v differ, want %v", place, got, want)
	}
}

func compareAll(t *testing.T, place string, files statestore.Files, want map[tree.Path]statestore.Digest) {
	t.Helper()
	if got := maps.Collect(files.All()); !maps.Equal(got, want) || files.Len() != len(want) {
		t.Fatalf("%s: %d files %v, want %v", place, files.Len(), got, want)
	}
	if paths := files.Paths(tree.Path{}); !slices.IsSortedFunc(paths, tree.Compare) {
		t.Fatalf("%s: %v is not in walk order", place, paths)
	}
	for path, sum := range want {
		if got, ok := files.Digest(path); !ok || got != sum || !files.Has(path) || files.Interned(path) != path {
			t.Fatalf("%s: %s has %v", place, path, got)
		}
	}
}

func compareBelow(t *testing.T, place string, files statestore.Files, want map[tree.Path]statestore.Digest, dir tree.Path) {
	t.Helper()
	within := maps.Clone(want)
	maps.DeleteFunc(within, func(p tree.Path, _ statestore.Digest) bool { return !p.Within(dir) })
	if got := maps.Collect(files.Below(dir)); !maps.Equal(got, within) {
		t.Fatalf("%s: below %s is %v, want %v", place, dir, got, within)
	}
	if got := files.Within(dir); !maps.Equal(maps.Collect(got.All()), within) || got.Len() != len(within) {
		t.Fatalf("%s: within %s is %v, want %v", place, dir, maps.Collect(got.All()), within)
	}
	if _, ok := want[dir]; !ok && files.Has(dir) {
		t.Fatalf("%s: there is no file %s", place, dir)
	}
}

func compareFrom(t *testing.T, place string, files statestore.Files, want map[tree.Path]statestore.Digest, first tree.Path) {
	t.Helper()
	behind := slices.DeleteFunc(files.Paths(tree.Path{}), func(p tree.Path) bool { return tree.Compare(p, first) < 0 })
	var got []tree.Path
	for path, sum := range files.From(first) {
		if got = append(got, path); sum != want[path] {
			t.Fatalf("%s: %s has %v, want %v", place, path, sum, want[path])
		}
	}
	if !slices.Equal(got, behind) {
		t.Fatalf("%s: from %s on there are %v, want %v", place, first, got, behind)
	}
	for path := range files.From(first) {
		if path != behind[0] {
			t.Fatalf("%s: %s comes first, want %s", place, path, behind[0])
		}
		break
	}
}

func TestDerivedFilesShareUnchangedDirectories(t *testing.T) {
	sums := map[tree.Path]statestore.Digest{testkit.Path("a/x"): {1}, testkit.Path("a/y"): {1}, testkit.Path("b/x"): {1}}
	files := statestore.FilesOf(sums)
	changed := files.With([]statestore.FileChange{{Path: testkit.Path("a/x"), Digest: statestore.Digest{2}}, {Path: testkit.Path("b/x"), Digest: statestore.Digest{1}}})
	for dir, want := range map[string]bool{"a": false, "a/x": false, "a/y": true, "b": true, "b/x": true, "c": true, "": false} {
		if got := files.Same(changed, testkit.Path(dir)); got != want {
			t.Errorf("Same at %q is %v", dir, got)
		}
	}
	if again := changed.With([]statestore.FileChange{{Path: testkit.Path("a/x"), Gone: true}, {Path: testkit.Path("c"), Gone: true}}).Paths(tree.Path{}); len(again) != 2 {
		t.Errorf("left: %v", again)
	}
}

func compareWidest(t *testing.T, place string, files statestore.Files, want map[tree.Path]statestore.Digest) {
	t.Helper()
	entries := map[tree.Path]map[tree.Path]bool{}
	for path := range want {
		for !path.IsRoot() {
			dir := path.Dir()
			if entries[dir] == nil {
				entries[dir] = map[tree.Path]bool{}
			}
			entries[dir][path] = true
			path = dir
		}
	}
	most := 0
	for _, of := range entries {
		most = max(most, len(of))
	}
	if dir, n := files.Widest(); n != most || n != len(entries[dir]) {
		t.Fatalf("%s: %q has %d entries, want %d", place, dir, n, most)
	}
}
