package reconcile

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
)

var update = flag.Bool("update", false, "write the golden files again")

func inMode(t *testing.T, mode string) *testEnv {
	w := newEnv(t)
	w.snapshot.Destinations[0].Spec.Filepath.Mode = mode
	return w
}

func dependency(w *kratix.Work) {
	w.Namespace, w.Spec.ResourceName = kratix.SystemNamespace, ""
	w.Labels = map[string]string{kratix.PipelineNameLabel: "deps"}
}

func TestTreeInEachMode(t *testing.T) {
	off := false
	for _, mode := range []string{kratix.NestedByMetadata, kratix.AggregatedYAML, kratix.None} {
		for name, canaries := range map[string]*bool{"": nil, "-bare": &off} {
			t.Run(mode+name, func(t *testing.T) {
				w := inMode(t, mode)
				w.snapshot.Destinations[0].Spec.InitWorkloads.Enabled = canaries
				w.putFiles("b", map[string]string{"b.yaml": testkit.ConfigMaps("b"), "dir/deep.yaml": testkit.ConfigMaps("deep")})
				w.putFiles("a", map[string]string{"a.yaml": strings.TrimSuffix(testkit.ConfigMaps("a"), "\n")})
				dependency(w.putFiles("redis", map[string]string{"operator.yaml": testkit.ConfigMaps("operator")}))
				if result := w.round(); len(result.Findings) > 0 {
					t.Fatalf("findings %v", result.Findings)
				}
				golden(t, mode+name+".txt", w.dump())
				if again := w.round(); again.Changes() {
					t.Errorf("a second round changes %+v", again.Stores)
				}
			})
		}
	}
}

func (w *testEnv) dump() string {
	var out strings.Builder
	for _, path := range w.allPaths() {
		fmt.Fprintf(&out, "=== %s\n%s\n", path, w.content(path))
	}
	return out.String()
}

func (w *testEnv) allPaths() []string {
	var paths []string
	for path := range w.state().Files.All() {
		paths = append(paths, path.String())
	}
	slices.Sort(paths)
	return paths
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is\n%s\nwant\n%s", name, got, want)
	}
}

func TestModeNoneKeepsTwoWorksApart(t *testing.T) {
	w := inMode(t, kratix.None)
	w.putFiles("a", map[string]string{"shared.yaml": testkit.ConfigMaps("a"), "a.yaml": testkit.ConfigMaps("a2")})
	w.putFiles("b", map[string]string{"shared.yaml": testkit.ConfigMaps("b")})
	w.putFiles("c", map[string]string{"c.yaml": testkit.ConfigMaps("c")})
	w.expect(w.round(), map[string]report.State{"a": report.Placed, "b": report.HeldBack, "c": report.Placed}, "KS003")
	if got := w.content("worker-1/shared.yaml"); got != testkit.ConfigMaps("a") {
		t.Errorf("shared.yaml is %q", got)
	}

	// The removal of one Work keeps the files of the others, even at the same path.
	w.remove("a")
	w.expect(w.round(), map[string]report.State{"a": report.Removed, "b": report.Placed, "c": report.Unchanged})
	want := []string{"worker-1/.kratix/default-b.worker-1-5058f.yaml", "worker-1/.kratix/default-c.worker-1-5058f.yaml", "worker-1/c.yaml", "worker-1/shared.yaml"}
	if got := w.paths(); !slices.Equal(got, want) || w.content("worker-1/shared.yaml") != testkit.ConfigMaps("b") {
		t.Errorf("store has %v", got)
	}

	// An update removes the files that are no longer wanted, and keeps foreign files.
	w.write(map[string]string{"worker-1/by-hand.yaml": testkit.ConfigMaps("hand")})
	w.putFiles("b", map[string]string{"new.yaml": testkit.ConfigMaps("b")})
	w.expect(w.round(), map[string]report.State{"b": report.Placed, "c": report.Unchanged})
	want = []string{want[0], want[1], "worker-1/by-hand.yaml", "worker-1/c.yaml", "worker-1/new.yaml"}
	if got := w.paths(); !slices.Equal(got, want) {
		t.Errorf("store has %v, want %v", got, want)
	}
}

func TestModeNoneNeverTakesAForeignFile(t *testing.T) {
	w := inMode(t, kratix.None)
	w.write(map[string]string{"worker-1/a.yaml": testkit.ConfigMaps("hand")})
	w.putFiles("a", map[string]string{"a.yaml": testkit.ConfigMaps("a")})
	w.expect(w.round(), map[string]report.State{"a": report.HeldBack}, "KS003")
	if got := w.content("worker-1/a.yaml"); got != testkit.ConfigMaps("hand") {
		t.Errorf("a.yaml is %q", got)
	}
}

func TestModeNoneAdoptsWhatKratixListed(t *testing.T) {
	w := inMode(t, kratix.None)
	w.write(map[string]string{
		"worker-1/.kratix/default-a.worker-1-5058f.yaml": "files:\n- worker-1/a.yaml\n- worker-1/old.yaml\n",
		"worker-1/a.yaml":   testkit.ConfigMaps("a"),
		"worker-1/old.yaml": testkit.ConfigMaps("old"),
	})
	w.putFiles("a", map[string]string{"a.yaml": testkit.ConfigMaps("a")})
	w.expect(w.round(), map[string]report.State{"a": report.Placed})
	if got := w.paths(); !slices.Equal(got, []string{"worker-1/.kratix/default-a.worker-1-5058f.yaml", "worker-1/a.yaml"}) {
		t.Errorf("store has %v", got)
	}
}

const aggregated = "worker-1/aggregated.yaml"

func TestAggregatedChangesOnlyThePartThatChanged(t *testing.T) {
	w := inMode(t, kratix.AggregatedYAML)
	w.put("a", "a")
	w.put("b", "b")
	w.put("c", "c")
	w.round()
	w.put("b", "b", "b2")
	w.expect(w.round(), map[string]report.State{"a": report.Unchanged, "b": report.Placed, "c": report.Unchanged})
	joint := "\n---\n"
	if got := w.content(aggregated); got != testkit.ConfigMaps("a")+joint+testkit.ConfigMaps("b", "b2")+joint+testkit.ConfigMaps("c") {
		t.Errorf("%q", got)
	}

	// A change with a conflict keeps the stored part.
	w.put("a", "a", "c")
	w.expect(w.round(), map[string]report.State{"a": report.HeldBack, "b": report.Unchanged, "c": report.Unchanged}, "KS001")
	if got := w.content(aggregated); got != testkit.ConfigMaps("a")+joint+testkit.ConfigMaps("b", "b2")+joint+testkit.ConfigMaps("c") {
		t.Errorf("%q", got)
	}

	// A Work that cannot be read also keeps its stored part.
	w.remove("b")
	w.snapshot.Rejected = []kratix.Key{{Namespace: "default", Name: "b"}}
	w.put("a", "a3")
	w.remove("c")
	w.expect(w.round(), map[string]report.State{"a": report.Placed, "b": report.Kept, "c": report.Removed})
	if got := w.content(aggregated); got != testkit.ConfigMaps("a3")+joint+testkit.ConfigMaps("b", "b2") {
		t.Errorf("%q", got)
	}

	w.snapshot.Rejected = nil
	w.policy.Allow = AllowAll()
	w.remove("a")
	w.round()
	if got := w.paths(); len(got) > 0 {
		t.Errorf("store has %v", got)
	}
}

func TestAggregatedFileIsRewrittenAfterDrift(t *testing.T) {
	w := inMode(t, kratix.AggregatedYAML)
	w.put("a", "a")
	w.put("b", "b")
	w.round()
	want := w.content(aggregated)
	w.write(map[string]string{aggregated: "# changed by hand\n" + want})
	w.expect(w.round(), map[string]report.State{"a": report.Placed, "b": report.Placed})
	if got := w.content(aggregated); got != want {
		t.Errorf("%q", got)
	}
}

func TestAggregatedFileStaysIfAPartWouldBeLost(t *testing.T) {
	w := inMode(t, kratix.AggregatedYAML)
	w.put("a", "a")
	w.put("b", "b")
	w.round()
	drifted := "# changed by hand\n" + w.content(aggregated)
	w.write(map[string]string{aggregated: drifted})
	w.remove("b")
	w.snapshot.Rejected = []kratix.Key{{Namespace: "default", Name: "b"}}
	w.put("a", "changed")
	w.expect(w.round(), map[string]report.State{"a": report.HeldBack, "b": report.Kept}, "KS063")
	if got := w.content(aggregated); got != drifted {
		t.Errorf("%q", got)
	}
}

func TestAggregatedAdoptsWhatKratixWrote(t *testing.T) {
	w := inMode(t, kratix.AggregatedYAML)
	w.write(map[string]string{aggregated: testkit.ConfigMaps("a") + "\n---\n" + testkit.ConfigMaps("b")})
	w.put("a", "a")
	w.put("b", "b")
	result := w.round()
	w.expect(result, map[string]report.State{"a": report.Placed, "b": report.Placed})
	for _, changed := range result.Stores[0].Destinations[0].Changed {
		t.Errorf("%s was written again", changed)
	}
}

func TestDeletedDestinationIsEmptiedOnlyIfAsked(t *testing.T) {
	for cleanup, want := range map[string]int{"all": 0, "none": 3, "": 3} {
		t.Run("cleanup "+cleanup, func(t *testing.T) {
			w := newEnv(t)
			for i := range 1 {
				w.put(fmt.Sprint("w", i), fmt.Sprint("m", i))
			}
			w.round()
			w.write(map[string]string{"worker-1/by-hand": "stays"})
			now := metav1.NewTime(time.Unix(1, 0))
			w.snapshot.Destinations[0].DeletionTimestamp = &now
			w.snapshot.Destinations[0].Spec.Cleanup = cleanup
			w.addDestination("worker-2", "two")
			w.put("w0", "changed")
			w.round()
			if got := w.paths(); len(slices.DeleteFunc(got, func(p string) bool { return strings.HasPrefix(p, "two/") })) != max(want, 1) {
				t.Errorf("store has %v", got)
			}
			moved := slices.ContainsFunc(w.paths(), func(p string) bool { return strings.HasPrefix(p, "two/resources/default/redis/w0/") })
			if moved != (cleanup == "all") {
				t.Errorf("moved to the other Destination: %v", moved)
			}
		})
	}
}

func TestDestinationsOverlapIfTheirStoresAreOneLocation(t *testing.T) {
	w := newEnv(t)
	w.snapshot.GitStateStores[0].Spec.URL = "https://git.example.com/state.git"
	other := testkit.GitStore("other", "https://Git.Example.com/state")
	other.Spec.Path = "/"
	w.snapshot.GitStateStores = append(w.snapshot.GitStateStores, other)
	w.addDestination("worker-2", "./worker-1/sub").Spec.StateStoreRef.Name = "other"
	w.put("a", "x")
	w.expect(w.round(), map[string]report.State{"a": report.Unplaced}, "KS044", "KS044", "KS045")

	other.Spec.Path = "elsewhere"
	stores := map[string]statestore.Store{"default": w.store, "other": memory.New("GitStateStore other")}
	w.open = func(ref kratix.StateStoreReference) statestore.Store { return stores[ref.Name] }
	w.expect(w.round(), map[string]report.State{"a": report.Placed})
}
