package reconcile

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

func (w *testEnv) recordPath(namespace, name string) string {
	w.t.Helper()
	return w.pathOfRecord(namespace, name, layout.RecordPath)
}

func (w *testEnv) flatRecordPath(namespace, name string) string {
	w.t.Helper()
	return w.pathOfRecord(namespace, name, layout.FlatRecordPath)
}

func (w *testEnv) pathOfRecord(namespace, name string, of func(*kratix.Destination, *kratix.WorkPlacement) (tree.Path, error)) string {
	w.t.Helper()
	d := w.destination()
	path, err := of(d, testkit.Placement(testkit.Request(name, testkit.InNamespace(namespace)), d.Name))
	if err != nil {
		w.t.Fatal(err)
	}
	return path.String()
}

func (w *testEnv) putIn(namespace, name, file string) *kratix.Work {
	added := w.putFiles(name, map[string]string{file: testkit.ConfigMaps(namespace + "." + name)})
	added.Namespace = namespace
	return added
}

func TestNoTwoPlacementsShareARecord(t *testing.T) {
	for _, mode := range []string{kratix.NestedByMetadata, kratix.AggregatedYAML} {
		t.Run(mode, func(t *testing.T) {
			w := inMode(t, mode)
			w.putIn("a-b", "c", "one.yaml")
			w.putIn("a", "b-c", "two.yaml")
			w.round()
			if first, second := w.recordPath("a-b", "c"), w.recordPath("a", "b-c"); first == second || w.content(first) == "" || w.content(second) == "" {
				t.Errorf("the records are %s and %s", first, second)
			}
			w.expect(w.round(), map[string]report.State{"a-b/c": report.Unchanged, "a/b-c": report.Unchanged})
		})
	}
}

func TestInModeNoneTheSecondOfTwoWithOneRecordIsHeldBack(t *testing.T) {
	w := inMode(t, kratix.None)
	w.putIn("a-b", "c", "one.yaml")
	w.round()
	w.putIn("a", "b-c", "two.yaml")
	for range 2 {
		w.expect(w.round(), map[string]report.State{"a-b/c": report.Unchanged, "a/b-c": report.HeldBack}, "KS003")
	}
	w.remove("c")
	w.round()
	w.expect(w.round(), map[string]report.State{"a/b-c": report.Unchanged})
	if got := w.paths(); slices.Contains(got, "worker-1/one.yaml") || !slices.Contains(got, "worker-1/two.yaml") {
		t.Errorf("the store has %v", got)
	}
}

func TestRecordsOfAnEarlierVersionAreMigratedInOneCommit(t *testing.T) {
	for _, mode := range []string{kratix.NestedByMetadata, kratix.AggregatedYAML, kratix.None} {
		t.Run(mode, func(t *testing.T) {
			w := inMode(t, mode)
			for _, name := range []string{"a", "b", "c"} {
				w.putFiles(name, map[string]string{name + ".yaml": testkit.ConfigMaps(name)})
			}
			w.round()
			want := w.dump()
			for _, name := range []string{"a", "b", "c"} {
				w.moveFile(w.recordPath("default", name), w.flatRecordPath("default", name))
			}
			before := w.state().Revision
			told := w.round()
			if got := w.dump(); got != want {
				t.Errorf("the store has\n%s, want\n%s", got, want)
			}
			if mode == kratix.None {
				return // both layouts have the same path
			}
			if len(told.Findings) > 0 || w.state().Revision == before {
				t.Errorf("findings %v", told.Findings)
			}
			w.expect(w.round(), map[string]report.State{"a": report.Unchanged, "b": report.Unchanged, "c": report.Unchanged})
		})
	}
}

func (w *testEnv) moveFile(from, to string) {
	content := w.content(from)
	if from == to {
		return
	}
	w.write(map[string]string{to: content})
	w.delete(from)
}

func TestForgedRecordsNeverAffectOtherPlacements(t *testing.T) {
	for _, mode := range []string{kratix.NestedByMetadata, kratix.AggregatedYAML, kratix.None} {
		for seed := range testkit.Seeds(60) {
			rng := rand.New(rand.NewPCG(seed, 1))
			w := inMode(t, mode)
			w.putFiles("a", map[string]string{"a.yaml": testkit.ConfigMaps("a")})
			w.putFiles("b", map[string]string{"b.yaml": testkit.ConfigMaps("b"), "dir/b.yaml": testkit.ConfigMaps("b2")})
			dependency(w.putFiles("dep", map[string]string{"dep.yaml": testkit.ConfigMaps("dep")}))
			w.round()
			before := w.manifests()
			forged := w.forge(rng)
			w.write(forged)
			if rng.IntN(2) == 0 { // placements of unreadable Works must stay as well
				w.snapshot.Rejected = append(w.snapshot.Rejected, kratix.Key{Namespace: "default", Name: "b"})
				w.remove("b")
			}
			for range 3 {
				w.round()
			}
			if got := w.manifests(); got != before {
				t.Fatalf("mode %s, seed %d: after\n%v\nthe store has\n%s\nwant\n%s", mode, seed, forged, got, before)
			}
		}
	}
}

func TestRecordThatNamesAnotherWorkThanItsLabelsIsNotBelieved(t *testing.T) {
	for _, mode := range []string{kratix.NestedByMetadata, kratix.AggregatedYAML, kratix.None} {
		w := inMode(t, mode)
		w.putFiles("a", map[string]string{"a.yaml": testkit.ConfigMaps("a")})
		w.round()
		before := w.dump()
		made := testkit.Request("a")
		forged := testkit.Placement(made, "worker-1")
		forged.Name = "forged.worker-1-5058f"
		record, err := layout.NewRecord(w.destination(), forged, layout.Rendering{})
		if err != nil {
			t.Fatal(err)
		}
		w.write(map[string]string{record.Path.String(): string(record.Content)})
		r := w.settle()
		if !slices.Equal(rules(r), []string{"KS063"}) {
			t.Errorf("mode %s: findings %v", mode, r.Findings)
		}
		if got := strings.Replace(w.dump(), fmt.Sprintf("=== %s\n%s\n", record.Path, record.Content), "", 1); got != before {
			t.Errorf("mode %s: beside the forged record the store has\n%s\nwant\n%s", mode, got, before)
		}
	}
}

func (w *testEnv) manifests() string {
	var all strings.Builder
	for _, path := range w.allPaths() {
		if _, isRecord := layout.RecordBase(testkit.Path(path)); !isRecord {
			fmt.Fprintf(&all, "%s: %s\n", path, w.content(path))
		}
	}
	return all.String()
}

func (w *testEnv) forge(rng *rand.Rand) map[string]string {
	paths := w.allPaths()
	victims := slices.DeleteFunc(slices.Clone(paths), func(path string) bool { return strings.Contains(path, ".kratix/") })
	var files []string
	for _, path := range victims {
		if rng.IntN(2) == 0 {
			files = append(files, path)
		}
	}
	owner := []string{"a", "ghost", "dep"}[rng.IntN(3)]
	made := testkit.Request(owner)
	if rng.IntN(3) == 0 {
		made.Namespace = "evil"
	}
	made.Spec.PromiseName = []string{"redis", "other"}[rng.IntN(2)]
	made.Spec.ResourceName = []string{"a", "b", "", "ghost"}[rng.IntN(4)]
	p := testkit.Placement(made, "worker-1")
	rendering := layout.Rendering{Joined: rng.IntN(3) == 0}
	for _, file := range files {
		rendering.Files = append(rendering.Files, layout.File{File: tree.File{Path: testkit.Path(file), Content: []byte("x")}})
	}
	record, err := layout.NewRecord(w.destination(), p, rendering)
	if err != nil {
		w.t.Fatal(err)
	}
	path := record.Path.String()
	if rng.IntN(3) == 0 {
		path = "worker-1/.kratix/default-" + owner + ".worker-1-5058f.yaml"
	}
	content := string(record.Content)
	if rng.IntN(4) == 0 {
		content = "files:\n"
		for _, file := range append(files, "worker-1/nowhere.yaml") {
			content += "- " + file + "\n"
		}
	}
	return map[string]string{path: content}
}
