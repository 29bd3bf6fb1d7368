package reconcile

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
)

type placements = map[string]report.State

func (w *testEnv) obstruct(path string, gone ...string) {
	store, _ := w.store.(*memory.Store)
	if path != "" {
		store.Obstruct(statestore.Obstacle{Path: testkit.Path(path), Kind: "a symlink"})
	}
	for _, path := range gone {
		store.Obstruct(statestore.Obstacle{Path: testkit.Path(path), Gone: true})
	}
}

func (w *testEnv) deleteAsOtherWriter(paths ...string) {
	w.t.Helper()
	changes := statestore.ChangeSet{Base: w.state().Revision}
	for _, path := range paths {
		changes.Remove = append(changes.Remove, testkit.Path(path))
	}
	if _, err := w.store.Apply(w.t.Context(), changes); err != nil {
		w.t.Fatal(err)
	}
}

func TestFileWhereAnotherNeedsADirectoryIsHeldUntilTheOtherGoes(t *testing.T) {
	w := inMode(t, kratix.None)
	w.putFiles("a", map[string]string{"app": "text"})
	w.putFiles("b", map[string]string{"app/b.yaml": testkit.ConfigMaps("b")})
	w.putFiles("c", map[string]string{"c/c.yaml": testkit.ConfigMaps("c")})
	result := w.round()
	w.expect(result, placements{"a": report.Placed, "b": report.HeldBack, "c": report.Placed}, "KS003")
	if f := result.Findings[0]; f.Place.Object != "Work default/b" || f.Related[0].Place.Object != "Work default/a" {
		t.Errorf("the owners are %v", f)
	}
	w.expect(w.round(), placements{"a": report.Unchanged, "b": report.HeldBack, "c": report.Unchanged}, "KS003")
	w.remove("a")
	w.expect(w.round(), placements{"a": report.Removed, "b": report.Placed, "c": report.Unchanged})
	if got := w.paths(); !slices.Contains(got, "worker-1/app/b.yaml") || slices.Contains(got, "worker-1/app") {
		t.Errorf("store has %v", got)
	}
}

func TestWorkWithUnstorablePathsKeepsStoredFiles(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"KS009": {"a": "text", "a/b.yaml": testkit.ConfigMaps("b")},
		"KS008": {".git\u200cmodules": "[submodule \"x\"]\n"},
	} {
		w := newEnv(t)
		w.put("a", "x")
		w.put("b", "y")
		w.round()
		w.putFiles("a", files)
		w.put("b", "z")
		w.expect(w.round(), placements{"a": report.HeldBack, "b": report.Placed}, name)
		if w.content(aFile) != testkit.ConfigMaps("x") || w.content(bFile) != testkit.ConfigMaps("z") {
			t.Errorf("%s: a has %q, b %q", name, w.content(aFile), w.content(bFile))
		}
		w.put("a", "w")
		w.expect(w.round(), placements{"a": report.Placed, "b": report.Unchanged})
	}
}

func TestAllowedNameIsWritten(t *testing.T) {
	w := newEnv(t)
	w.putFiles("a", map[string]string{".gitignore": "*.tmp\n"})
	w.expect(w.round(), placements{"a": report.HeldBack}, "KS008")
	w.policy.AllowNames = []string{".gitign*"}
	w.expect(w.round(), placements{"a": report.Placed})
	w.policy.AllowNames = nil
	w.expect(w.round(), placements{"a": report.HeldBack}, "KS008")
}

func TestLimitsFollowTheStoresPath(t *testing.T) {
	w := newEnv(t)
	store := &kratix.BucketStateStore{}
	store.Name, store.Spec.BucketName, store.Spec.Endpoint = "default", "b", "s3"
	w.snapshot.BucketStateStores = append(w.snapshot.BucketStateStores, store)
	w.snapshot.Destinations[0].Spec.StateStoreRef.Kind = kratix.BucketStateStoreKind
	unused := memory.New("GitStateStore default")
	w.open = func(ref kratix.StateStoreReference) statestore.Store {
		if ref.Kind == kratix.BucketStateStoreKind {
			return w.store
		}
		return unused
	}
	w.putFiles("a", map[string]string{strings.Repeat("d/", 400) + "x": "text"})
	w.expect(w.round(), placements{"a": report.Placed})
	longer := store.DeepCopy()
	longer.Spec.Path = strings.Repeat("p/", 100)
	w.snapshot.BucketStateStores[0] = longer
	w.expect(w.round(), placements{"a": report.HeldBack}, "KS009")
}

func TestObstacleInTheStoreIsNamed(t *testing.T) {
	const parent, base, records = "worker-1/resources/default", "worker-1", "worker-1/.kratix"
	for name, c := range map[string]struct {
		file, symlink string
		rule, object  string
	}{
		"a file above the placement":    {file: parent, rule: "KS003", object: "Work default/a"},
		"a symlink above the placement": {symlink: parent, rule: "KS003", object: "Work default/a"},
		"a symlink at a file":           {symlink: aFile, rule: "KS003", object: "Work default/a"},
		"a symlink at the record":       {symlink: aRecord, rule: "KS003", object: "Destination worker-1"},
		"a file that is the base":       {file: base, rule: "KS003", object: "Destination worker-1"},
		"a symlink that is the base":    {symlink: base, rule: "KS003", object: "Destination worker-1"},
		"a file for the records":        {file: records, rule: "KS003", object: "Destination worker-1"},
		"a symlink for the records":     {symlink: records, rule: "KS003", object: "Destination worker-1"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newEnv(t)
			w.addDestination("worker-2", "two").Labels = map[string]string{"other": "yes"}
			other := w.put("other", "o")
			other.Spec.WorkloadGroups[0].DestinationSelectors = []kratix.Selector{{MatchLabels: map[string]string{"other": "yes"}, Source: "promise"}}
			a := w.put("a", "x")
			a.Spec.WorkloadGroups[0].DestinationSelectors = []kratix.Selector{{MatchLabels: map[string]string{"one": "yes"}, Source: "promise"}}
			w.snapshot.Destinations[0].Labels = map[string]string{"one": "yes"}
			if c.file != "" {
				w.write(map[string]string{c.file: "text"})
			}
			w.obstructIf(c.symlink)
			result := w.round()
			if got := states(result); got["a"] != report.HeldBack || got["other"] != report.Placed {
				t.Errorf("placements %v", got)
			}
			at := c.file + c.symlink
			if !slices.ContainsFunc(result.Findings, func(f finding.Finding) bool {
				return f.Rule.ID == c.rule && f.Place.Object == c.object && f.Related[0].Place.File == at
			}) {
				t.Errorf("findings %v", result.Findings)
			}
			w.noFileIsADirectory()
			if c.file != "" {
				w.deleteAsOtherWriter(c.file)
			} else {
				w.obstruct("", c.symlink)
			}
			w.expect(w.round(), placements{"a": report.Placed, "other": report.Unchanged})
		})
	}
}

func TestSymlinkThatComesLaterHoldsAnUpdateBack(t *testing.T) {
	w := newEnv(t)
	w.put("a", "x")
	w.put("b", "y")
	w.round()
	w.expect(w.round(), placements{"a": report.Unchanged, "b": report.Unchanged})
	w.obstruct("worker-1/resources/default/redis/c")
	w.put("b", "z")
	w.put("c", "c")
	w.expect(w.round(), placements{"a": report.Unchanged, "b": report.Placed, "c": report.HeldBack}, "KS003")
	w.obstruct("", "worker-1/resources/default/redis/c")
	w.expect(w.round(), placements{"a": report.Unchanged, "b": report.Unchanged, "c": report.Placed})
}

func TestUnwritableCanaryDelaysNothing(t *testing.T) {
	w := newEnv(t)
	w.obstruct("worker-1/resources/kratix-canary-configmap.yaml")
	w.put("a", "x")
	w.expect(w.round(), placements{"a": report.Placed}, "KS003")
	if got := w.round(); got.Changes() {
		t.Errorf("a second round changes %v", got.Stores)
	}
}

func TestPathsThatDifferOnlyInCaseAreReportedAndWritten(t *testing.T) {
	w := inMode(t, kratix.None)
	w.putFiles("a", map[string]string{"App/x.yaml": testkit.ConfigMaps("a")})
	w.putFiles("b", map[string]string{"app/x.yaml": testkit.ConfigMaps("b")})
	w.expect(w.round(), placements{"a": report.Placed, "b": report.Placed}, "KS016")
	w.remove("a")
	w.expect(w.round(), placements{"a": report.Removed, "b": report.Unchanged})
}

func (w *testEnv) obstructIf(path string) {
	if path != "" {
		w.obstruct(path)
	}
}

func (w *testEnv) noFileIsADirectory() {
	w.t.Helper()
	state := w.state()
	paths := state.Files.Paths(tree.Path{})
	for o := range state.Obstacles.Below(tree.Path{}) {
		paths = append(paths, o.Path)
	}
	for i, p := range paths {
		for j, other := range paths {
			if i != j && other.Within(p) {
				w.t.Errorf("%s and %s are there", p, other)
			}
		}
	}
}

func TestRandomPathsNeverCollide(t *testing.T) {
	held, placed := 0, 0
	for _, mode := range []string{kratix.NestedByMetadata, kratix.AggregatedYAML, kratix.None} {
		for seed := range uint64(6) {
			rng := rand.New(rand.NewPCG(seed, 16))
			w := inMode(t, mode)
			w.addDestination("worker-2", "deep/two").Spec.Filepath.Mode = mode
			for step := range 20 {
				w.changePaths(rng)
				uncached := w.roundWithoutCache()
				result := w.round()
				if !reflect.DeepEqual(result.Findings, uncached.Findings) || !reflect.DeepEqual(states(result), states(uncached)) {
					t.Fatalf("%s seed %d step %d: the cache makes a difference:\n%v\n%v", mode, seed, step, result, uncached)
				}
				w.noFileIsADirectory()
				if again := w.round(); again.Changes() {
					t.Fatalf("%s seed %d step %d: a second round changes %+v", mode, seed, step, again.Stores)
				}
				for _, state := range states(result) {
					switch state {
					case report.HeldBack:
						held++
					case report.Placed:
						placed++
					}
				}
				if t.Failed() {
					t.Fatalf("%s seed %d step %d", mode, seed, step)
				}
			}
		}
	}
	if held < 100 || placed < 100 {
		t.Errorf("too little happened: %d are held, %d placed", held, placed)
	}
}

func (w *testEnv) changePaths(rng *rand.Rand) {
	name := fmt.Sprint("w", rng.IntN(5))
	some := func(from ...string) string { return from[rng.IntN(len(from))] }
	file := some("app", "app/x", "app/x/y", "App", "b", "b/x.yaml", "b/.sourceignore", "c")
	base := some("worker-1", "deep/two")
	theirs := some("deep", base+"/resources", base+"/resources/default", base+"/resources/default/redis/"+name, base+"/app", base+"/b", base+"/b/z", base+"/.kratix")
	state := w.state()
	switch rng.IntN(8) {
	case 0:
		w.remove(name)
	case 1:
		free := true
		for path := range state.Files.All() {
			free = free && !path.Within(testkit.Path(theirs)) && !testkit.Path(theirs).Within(path)
		}
		for o := range state.Obstacles.Below(tree.Path{}) {
			free = free && !o.Path.Within(testkit.Path(theirs)) && !testkit.Path(theirs).Within(o.Path)
		}
		switch {
		case !free:
		case rng.IntN(2) == 0:
			w.write(map[string]string{theirs: "theirs"})
		default:
			w.obstruct(theirs)
		}
	case 2, 3:
		if sum, there := state.Files.Digest(testkit.Path(theirs)); there && sum == state.Contents.Digest([]byte("theirs")) {
			w.deleteAsOtherWriter(theirs)
		}
		if _, there := state.Obstacles.At(testkit.Path(theirs)); there {
			w.obstruct("", theirs)
		}
	default:
		w.putFiles(name, map[string]string{file: testkit.ConfigMaps(name), some("d", "app/z", "b/q") + name: "text"})
	}
}
