package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
)

type testEnv struct {
	t        testing.TB
	snapshot source.Snapshot
	store    statestore.Store
	policy   Policy
	finish   Finish
	secret   *kratix.Secret
	// open returns the store with a reference. If it is nil, there is one store.
	open func(kratix.StateStoreReference) statestore.Store

	reconciler *Reconciler
}

func newEnv(t testing.TB) *testEnv {
	w := &testEnv{t: t, store: memory.New("GitStateStore default"), finish: Commit}
	w.reconciler = &Reconciler{Source: w, Stores: w}
	w.addDestination("worker-1", "worker-1")
	w.snapshot.GitStateStores = append(w.snapshot.GitStateStores, testkit.GitStore("default", "memory"))
	return w
}

func (w *testEnv) addDestination(name, path string) *kratix.Destination {
	d := testkit.Destination(name, testkit.AtPath(path))
	w.snapshot.Destinations = append(w.snapshot.Destinations, d)
	return d
}

func (w *testEnv) put(name string, maps ...string) *kratix.Work {
	return w.putFiles(name, map[string]string{"maps.yaml": testkit.ConfigMaps(maps...)})
}

func (w *testEnv) putFiles(name string, files map[string]string) *kratix.Work {
	w.remove(name)
	made := testkit.Request(name, testkit.WithFiles(files))
	w.snapshot.Works = append(w.snapshot.Works, made)
	return made
}

func (w *testEnv) remove(name string) {
	w.snapshot.Works = slices.DeleteFunc(slices.Clone(w.snapshot.Works), func(k *kratix.Work) bool { return k.Name == name })
}

func (w *testEnv) Snapshot(context.Context) (source.Snapshot, error) { return w.snapshot, nil }

func (w *testEnv) Changes(context.Context) (<-chan struct{}, error) { return nil, nil }

func (w *testEnv) Open(ref kratix.StateStoreReference, spec kratix.Object, secret *kratix.Secret) (statestore.Store, error) {
	if spec == nil {
		return nil, errors.New("no such store")
	}
	w.secret = secret
	if w.open != nil {
		return w.open(ref), nil
	}
	return w.store, nil
}

func (w *testEnv) round() report.Report {
	w.t.Helper()
	w.reconciler.Finish, w.reconciler.Policy = w.finish, w.policy
	works := w.snapshot.Works
	before := make([]*kratix.Work, len(works))
	for i, work := range works {
		before[i] = work.DeepCopy()
	}
	result, err := w.reconciler.Round(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for i, work := range works { // a round must not change its input
		if !reflect.DeepEqual(before[i], work) {
			w.t.Errorf("the round has changed Work %s", work.Name)
		}
	}
	return result
}

func (w *testEnv) state() statestore.State {
	w.t.Helper()
	state, err := w.store.Read(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return state
}

func (w *testEnv) commits() int {
	n, _ := strconv.Atoi(string(w.state().Revision)) // the revision is empty before the first write
	return n
}

func (w *testEnv) merge(state statestore.State) {
	w.t.Helper()
	files := map[string]string{}
	for path := range state.Files.All() {
		content, err := state.Contents.Content(w.t.Context(), path)
		if err != nil {
			w.t.Fatal(err)
		}
		files[path.String()] = string(content)
	}
	w.write(files)
}

func (w *testEnv) paths() []string {
	var paths []string
	for path := range w.state().Files.All() {
		if !strings.Contains(path.String(), "kratix-canary") {
			paths = append(paths, path.String())
		}
	}
	slices.Sort(paths)
	return paths
}

func (w *testEnv) content(path string) string {
	w.t.Helper()
	content, err := w.state().Contents.Content(w.t.Context(), testkit.Path(path))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(content)
}

func (w *testEnv) write(files map[string]string) {
	w.t.Helper()
	changes := statestore.ChangeSet{Base: w.state().Revision}
	for path, content := range files {
		changes.Write = append(changes.Write, tree.File{Path: testkit.Path(path), Content: []byte(content)})
	}
	if _, err := w.store.Apply(w.t.Context(), changes); err != nil {
		w.t.Fatal(err)
	}
}

func (w *testEnv) delete(paths ...string) {
	w.t.Helper()
	change := statestore.ChangeSet{Base: w.state().Revision}
	for _, path := range paths {
		change.Remove = append(change.Remove, testkit.Path(path))
	}
	if _, err := w.store.Apply(w.t.Context(), change); err != nil {
		w.t.Fatal(err)
	}
}

func states(r report.Report) map[string]report.State {
	at := map[string]report.State{}
	for _, p := range r.Placements {
		at[strings.TrimPrefix(p.Work, "default/")] = p.State
	}
	return at
}

func rules(r report.Report) []string {
	var ids []string
	for _, f := range r.Findings {
		ids = append(ids, f.Rule.ID)
	}
	return ids
}

func (w *testEnv) expect(r report.Report, want map[string]report.State, found ...string) {
	w.t.Helper()
	if got := states(r); !maps.Equal(got, want) {
		w.t.Errorf("placements %v, want %v", got, want)
	}
	if got := rules(r); !slices.Equal(got, found) {
		w.t.Errorf("findings %v, want %v: %v", got, found, r.Findings)
	}
}

const (
	aFile   = "worker-1/resources/default/redis/a/5058f/maps.yaml"
	bFile   = "worker-1/resources/default/redis/b/5058f/maps.yaml"
	aRecord = "worker-1/.kratix/46.kratix/default-a.worker-1-5058f.46b15fbcf00752b3.yaml"
	bRecord = "worker-1/.kratix/a1.kratix/default-b.worker-1-5058f.a177081bde997cd5.yaml"
)

func TestRoundWritesAndTheNextFindsNothingToDo(t *testing.T) {
	w := newEnv(t)
	w.put("a", "x")
	w.expect(w.round(), map[string]report.State{"a": report.Placed})
	if got := w.paths(); !slices.Equal(got, []string{aRecord, aFile}) {
		t.Errorf("store has %v", got)
	}
	if got := w.content(aFile); got != testkit.ConfigMaps("x") {
		t.Errorf("content %q", got)
	}
	before := w.state().Revision
	w.expect(w.round(), map[string]report.State{"a": report.Unchanged})
	if after := w.state().Revision; after != before {
		t.Errorf("a second round made revision %s of %s", after, before)
	}
}

func TestUpdateReplacesAndRemovesFiles(t *testing.T) {
	w := newEnv(t)
	w.putFiles("a", map[string]string{"maps.yaml": testkit.ConfigMaps("x"), "old.yaml": testkit.ConfigMaps("old")})
	w.round()
	w.put("a", "y")
	result := w.round()
	w.expect(result, map[string]report.State{"a": report.Placed})
	if got := w.paths(); !slices.Equal(got, []string{aRecord, aFile}) || w.content(aFile) != testkit.ConfigMaps("y") {
		t.Errorf("store has %v", got)
	}
	d := result.Stores[0].Destinations[0]
	if len(d.Added) != 0 || len(d.Changed) != 2 || len(d.Removed) != 1 {
		t.Errorf("told: %+v", d)
	}
}

func TestRootsRemainAfterTheLastWorkIsDeleted(t *testing.T) {
	w := newEnv(t)
	w.policy.Allow = AllowUpTo(1)
	w.put("a", "x")
	w.round()
	w.remove("a")
	w.expect(w.round(), map[string]report.State{"a": report.Removed})
	if got := w.paths(); len(got) > 0 {
		t.Errorf("store still has %v", got)
	}
	for _, root := range []string{"worker-1/dependencies", "worker-1/resources"} {
		if len(w.state().Files.Paths(testkit.Path(root))) == 0 {
			t.Errorf("%s vanished", root)
		}
	}
}

func TestConflictHoldsBackTheLaterUntilTheOwnerGoes(t *testing.T) {
	w := newEnv(t)
	w.put("a", "x", "mine")
	w.put("b", "x")
	w.put("c", "z")
	w.expect(w.round(), map[string]report.State{"a": report.Placed, "b": report.HeldBack, "c": report.Placed}, "KS001")
	w.expect(w.round(), map[string]report.State{"a": report.Unchanged, "b": report.HeldBack, "c": report.Unchanged}, "KS001")
	w.remove("a")
	w.expect(w.round(), map[string]report.State{"a": report.Removed, "b": report.Placed, "c": report.Unchanged})
}

func TestNewRequestGoesWhereItDoesNotConflict(t *testing.T) {
	w := newEnv(t)
	w.addDestination("worker-2", "two")
	for _, name := range []string{"a", "b", "c"} {
		w.put(name, "x", "mine-"+name)
	}
	w.put("d", "other")
	result := w.round()
	w.expect(result, map[string]report.State{"a": report.Placed, "b": report.Placed, "c": report.HeldBack, "d": report.Placed}, "KS001")
	at := map[string]string{}
	for _, p := range result.Placements {
		at[p.Work] = p.Destination
	}
	if at["default/a"] == at["default/b"] {
		t.Errorf("a and b are both on %s", at["default/a"])
	}
	w.remove("a")
	w.expect(w.round(), map[string]report.State{"a": report.Removed, "b": report.Unchanged, "c": report.Placed, "d": report.Unchanged})
}

func TestConflictingUpdateKeepsStoredFiles(t *testing.T) {
	w := newEnv(t)
	w.put("a", "x")
	w.put("b", "y")
	w.round()
	w.put("b", "y", "x")
	w.expect(w.round(), map[string]report.State{"a": report.Unchanged, "b": report.HeldBack}, "KS001")
	if got := w.content(bFile); got != testkit.ConfigMaps("y") {
		t.Errorf("b has %q", got)
	}
}

func TestHeldPlacementReportsWhetherItIsWritten(t *testing.T) {
	w := newEnv(t)
	w.put("a", "x")
	w.put("b", "y")
	w.round()
	w.put("b", "y", "x")
	w.put("c", "x")
	for range 2 {
		result := w.round()
		w.expect(result, map[string]report.State{"a": report.Unchanged, "b": report.HeldBack, "c": report.HeldBack}, "KS001", "KS001")
		for _, p := range result.Placements {
			if want := p.Work == "default/b"; p.Written != want {
				t.Errorf("%s: written %v", p.Work, p.Written)
			}
		}
	}
}

func TestWorkWithUnwritableFileKeepsStoredFiles(t *testing.T) {
	for name, damage := range map[string]struct {
		change func(*kratix.Workload)
		rule   string
	}{
		"undecodable": {func(w *kratix.Workload) { w.Content = "?" }, "KS022"},
		"leads out":   {func(w *kratix.Workload) { w.Filepath = "../x.yaml" }, "KS023"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newEnv(t)
			w.put("a", "x")
			w.put("b", "y")
			w.round()
			work := w.putFiles("a", map[string]string{"maps.yaml": testkit.ConfigMaps("changed"), "more.yaml": testkit.ConfigMaps("more")})
			damage.change(&work.Spec.WorkloadGroups[0].Workloads[1])
			w.put("b", "z")
			w.expect(w.round(), map[string]report.State{"a": report.HeldBack, "b": report.Placed}, damage.rule)
			if got := w.content(aFile); got != testkit.ConfigMaps("x") {
				t.Errorf("a has %q", got)
			}
		})
	}
}

func TestRejectedWorkKeepsStoredFiles(t *testing.T) {
	w := newEnv(t)
	w.put("a", "x")
	w.round()
	w.remove("a")
	w.snapshot.Rejected = []kratix.Key{{Namespace: "default", Name: "a"}}
	w.expect(w.round(), map[string]report.State{"a": report.Kept})
	w.snapshot.Rejected, w.snapshot.Incomplete = nil, true
	w.expect(w.round(), map[string]report.State{"a": report.Kept}, "KS062")
	if got := w.paths(); !slices.Equal(got, []string{aRecord, aFile}) {
		t.Errorf("store has %v", got)
	}
}

func TestKeptPlacementsTakePartInConflicts(t *testing.T) {
	w := newEnv(t)
	w.put("z", "x")
	w.round()
	w.remove("z")
	w.snapshot.Rejected = []kratix.Key{{Namespace: "default", Name: "z"}}
	w.put("a", "x")
	w.expect(w.round(), map[string]report.State{"z": report.Kept, "a": report.HeldBack}, "KS001")
}

func TestForeignFilesStayAndTakePart(t *testing.T) {
	w := newEnv(t)
	w.write(map[string]string{
		"README.md":                           "not ours",
		"worker-1/resources/by-hand.yaml":     testkit.ConfigMaps("x"),
		"worker-1/resources/default/note.txt": "not ours",
	})
	w.put("a", "x")
	w.put("b", "y")
	result := w.round()
	w.expect(result, map[string]report.State{"a": report.HeldBack, "b": report.Placed}, "KS001")
	if got := result.Findings[0].Related[0].Place.String(); got != "GitStateStore default, worker-1/resources/by-hand.yaml:1" {
		t.Errorf("the other owner is %q", got)
	}
	w.remove("b")
	w.round()
	want := []string{"README.md", "worker-1/resources/by-hand.yaml", "worker-1/resources/default/note.txt"}
	if got := w.paths(); !slices.Equal(got, want) {
		t.Errorf("store has %v", got)
	}
}

func TestTreeThatKratixWroteIsAdopted(t *testing.T) {
	w := newEnv(t)
	w.write(map[string]string{
		aFile: testkit.ConfigMaps("x"),
		"worker-1/resources/default/redis/a/5058f/stale.yaml":   testkit.ConfigMaps("stale"),
		"worker-1/resources/default/redis/gone/5058f/maps.yaml": testkit.ConfigMaps("gone"),
		"worker-1/resources/kratix-canary-configmap.yaml":       "# as an older Kratix wrote it\n",
	})
	w.put("a", "x")
	result := w.round()
	w.expect(result, map[string]report.State{"a": report.Placed})
	want := []string{aRecord, aFile, "worker-1/resources/default/redis/gone/5058f/maps.yaml"}
	if got := w.paths(); !slices.Equal(got, want) {
		t.Errorf("store has %v", got)
	}
	if d := result.Stores[0].Destinations[0]; len(d.Added) != 2 || len(d.Changed) != 0 || len(d.Removed) != 1 {
		t.Errorf("changes: %+v", d) // the record and the canary of dependencies/ are added, and the stale file is removed
	}
}

func TestDriftIsCorrected(t *testing.T) {
	w := newEnv(t)
	w.put("a", "x")
	w.round()
	w.write(map[string]string{aFile: "changed by hand", "worker-1/resources/default/redis/a/5058f/more.yaml": testkit.ConfigMaps("more")})
	w.expect(w.round(), map[string]report.State{"a": report.Placed})
	if got := w.paths(); !slices.Equal(got, []string{aRecord, aFile}) || w.content(aFile) != testkit.ConfigMaps("x") {
		t.Errorf("store has %v", got)
	}
}

func TestGuardRefusesToEmptyADestination(t *testing.T) {
	w := newEnv(t)
	for i := range 20 {
		w.put(fmt.Sprint("w", i), fmt.Sprint("m", i))
	}
	w.round()
	full := w.paths()
	w.snapshot.Works = w.snapshot.Works[:9]
	result := w.round()
	if got := rules(result); !slices.Equal(got, []string{"KS061"}) || !slices.Equal(w.paths(), full) {
		t.Errorf("findings %v", got)
	}
	w.policy.Allow = AllowAll()
	if result := w.round(); len(result.Findings) > 0 || len(w.paths()) != 18 {
		t.Errorf("findings %v, %d files", result.Findings, len(w.paths()))
	}
	w.policy.Allow = Allowance{}
	w.snapshot.Works = w.snapshot.Works[:4]
	if result := w.round(); len(result.Findings) > 0 || len(w.paths()) != 8 {
		t.Errorf("five are few: %v", result.Findings)
	}
}

func TestOverlappingDestinationsAreNotWritten(t *testing.T) {
	for _, other := range []string{"worker-1", "./worker-1/", "worker-1/sub"} {
		t.Run(other, func(t *testing.T) {
			w := newEnv(t)
			w.addDestination("worker-2", other)
			w.addDestination("worker-3", "apart").Labels = map[string]string{"a": "b"}
			w.put("a", "x").Spec.WorkloadGroups[0].DestinationSelectors = []kratix.Selector{{MatchLabels: map[string]string{"a": "b"}}}
			w.put("b", "y")
			result := w.round()
			w.expect(result, map[string]report.State{"a": report.Placed, "b": report.Unplaced}, "KS044", "KS044", "KS045")
			for _, path := range w.paths() {
				if !strings.HasPrefix(path, "apart/") {
					t.Errorf("wrote %s", path)
				}
			}
		})
	}
}

func TestBrokenDestinationPlacesNothingTwice(t *testing.T) {
	for name, c := range map[string]struct {
		damage   func(*testEnv)
		findings []string
	}{
		"its filepath mode is not known":  {func(w *testEnv) { w.destination().Spec.Filepath.Mode = "nested" }, []string{"KS043"}},
		"its path leads out":              {func(w *testEnv) { w.destination().Spec.Path = "../worker-1" }, []string{"KS023"}},
		"another one is in its directory": {func(w *testEnv) { w.addDestination("third", "./worker-1/sub") }, []string{"KS044", "KS044"}},
		"it cannot be read itself": {func(w *testEnv) {
			w.snapshot.Destinations, w.snapshot.Unseen = w.snapshot.Destinations[1:], true
		}, []string{"KS049"}},
		"only its metadata can be read": {func(w *testEnv) {
			w.policy.OnMisplaced = scheduler.Move
			w.snapshot.Unwritten, w.snapshot.Destinations = w.snapshot.Destinations[:1], w.snapshot.Destinations[1:]
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newEnv(t)
			w.put("a", "x")
			w.round()
			w.snapshot.GitStateStores = append(w.snapshot.GitStateStores, testkit.GitStore("other", "elsewhere"))
			stores := map[string]statestore.Store{"default": w.store, "other": memory.New("GitStateStore other")}
			w.open = func(ref kratix.StateStoreReference) statestore.Store { return stores[ref.Name] }
			w.addDestination("worker-2", "worker-2").Spec.StateStoreRef.Name = "other"
			before, first := w.snapshot, *w.destination()
			c.damage(w)
			w.expect(w.round(), map[string]report.State{"a": report.Kept}, c.findings...)
			w.snapshot = before
			*w.destination() = first
			w.expect(w.round(), map[string]report.State{"a": report.Unchanged})
		})
	}
}

// destination replaces the first Destination with a copy, like a source, and returns the copy.
func (w *testEnv) destination() *kratix.Destination {
	changed := *w.snapshot.Destinations[0]
	w.snapshot.Destinations = append([]*kratix.Destination{&changed}, w.snapshot.Destinations[1:]...)
	return &changed
}

func TestDestinationAtTheStoresRootOverlapsAllOthers(t *testing.T) {
	w := newEnv(t)
	w.addDestination("worker-2", "/")
	w.put("a", "x")
	w.expect(w.round(), map[string]report.State{"a": report.Unplaced}, "KS044", "KS044", "KS045")
}

func TestFilesMoveWithTheirPlacementsPath(t *testing.T) {
	const before, after = "worker-1/resources/default/redis/a/one/5058f/maps.yaml", "worker-1/resources/default/redis/a/two/5058f/maps.yaml"
	w := newEnv(t)
	w.policy.Allow = AllowUpTo(1)
	w.put("a", "x").Labels = map[string]string{kratix.PipelineNameLabel: "one"}
	w.round()
	w.put("b", "y")
	w.put("a", "x", "y").Labels = map[string]string{kratix.PipelineNameLabel: "two"}
	w.expect(w.round(), map[string]report.State{"a": report.Placed, "b": report.HeldBack}, "KS001")
	if got := w.paths(); !slices.Equal(got, []string{aRecord, after}) {
		t.Errorf("store has %v", got)
	}
	w.snapshot.Works = nil
	if w.round(); len(w.paths()) != 0 {
		t.Errorf("store has %v", w.paths())
	}

	w.put("b", "y")
	w.put("a", "x").Labels = map[string]string{kratix.PipelineNameLabel: "one"}
	w.round()
	w.put("a", "x", "y").Labels = map[string]string{kratix.PipelineNameLabel: "two"}
	w.expect(w.round(), map[string]report.State{"a": report.HeldBack, "b": report.Unchanged}, "KS001")
	if got := w.paths(); !slices.Contains(got, before) || slices.Contains(got, after) {
		t.Errorf("held back, and the store has %v", got)
	}
}

func TestPreviewWritesNothing(t *testing.T) {
	w := newEnv(t)
	w.finish = Preview
	w.put("a", "x")
	result := w.round()
	w.expect(result, map[string]report.State{"a": report.Placed})
	if len(w.paths()) != 0 || !result.Changes() {
		t.Errorf("store has %v, changes %v", w.paths(), result.Stores)
	}
}

func TestSecretIsHandedToTheStore(t *testing.T) {
	w := newEnv(t)
	w.snapshot.GitStateStores[0].Spec.SecretRef = &kratix.SecretReference{Name: "creds"}
	secret := &kratix.Secret{}
	secret.Name, secret.Namespace = "creds", "default"
	w.snapshot.Secrets = []*kratix.Secret{{}, secret}
	if w.round(); w.secret != secret {
		t.Errorf("handed over: %v", w.secret)
	}
}

func TestDestinationWithoutItsStoreIsReportedAndOthersContinue(t *testing.T) {
	w := newEnv(t)
	lost := w.addDestination("lost", "lost")
	lost.Spec.StateStoreRef.Name = "nowhere"
	w.put("a", "x")
	result := w.round()
	w.expect(result, map[string]report.State{"a": report.Placed}, "KS042")
	if got := result.Findings[0].Message; got != "it names GitStateStore nowhere, which is not in the input" {
		t.Errorf("message %q", got)
	}
}

type flaky struct {
	statestore.Store
	read   error
	before func()
	apply  error
}

func (f *flaky) Read(ctx context.Context) (statestore.State, error) {
	if f.read != nil {
		return statestore.State{}, f.read
	}
	return f.Store.Read(ctx)
}

func (f *flaky) Apply(ctx context.Context, changes statestore.ChangeSet) (statestore.Revision, error) {
	if f.before != nil {
		f.before()
	}
	if f.apply != nil {
		return "", f.apply
	}
	return f.Store.Apply(ctx, changes)
}

func TestConcurrentWriterIsNotOverwritten(t *testing.T) {
	w := newEnv(t)
	inner := w.store
	times := 0
	w.store = &flaky{Store: inner, before: func() {
		if times++; times <= 3 {
			state, _ := inner.Read(t.Context())
			file := tree.File{Path: testkit.Path(fmt.Sprint("other/", times)), Content: []byte("x")}
			if _, err := inner.Apply(t.Context(), statestore.ChangeSet{Base: state.Revision, Write: []tree.File{file}}); err != nil {
				t.Error(err)
			}
		}
	}}
	w.put("a", "x")
	w.expect(w.round(), map[string]report.State{"a": report.Placed})
	if got := w.paths(); !slices.Equal(got, []string{"other/1", "other/2", "other/3", aRecord, aFile}) {
		t.Errorf("store has %v", got)
	}
}

func TestConstantlyChangingStoreIsReported(t *testing.T) {
	w := newEnv(t)
	times := 0
	stale := &statestore.Error{Op: "write", Store: "GitStateStore default", Err: statestore.ErrStale}
	w.store = &flaky{Store: w.store, before: func() { times++ }, apply: stale}
	var pauses []int
	w.reconciler.Pause = func(_ context.Context, attempt int) { pauses = append(pauses, attempt) }
	w.put("a", "x")
	result := w.round()
	w.expect(result, map[string]report.State{"a": report.Failed}, "KS060")
	if times != 5 || !slices.Equal(pauses, []int{1, 2, 3, 4}) {
		t.Errorf("%d tries, pauses after %v", times, pauses)
	}
	f := result.Findings[0]
	if f.Message != "write GitStateStore default: the store has moved on (in each of 5 tries)" || !strings.Contains(f.Advice(), "Find out who else writes there") {
		t.Errorf("%s (%s)", f.Message, f.Advice())
	}
}

func TestStoreThatFailsIsReportedWithItsFix(t *testing.T) {
	broken := &statestore.Error{Op: "read", Store: "GitStateStore default", Err: statestore.ErrUnavailable, Fix: "Start it."}
	for name, store := range map[string]*flaky{"reading": {read: broken}, "writing": {apply: broken}} {
		t.Run(name, func(t *testing.T) {
			w := newEnv(t)
			store.Store = w.store
			w.store = store
			w.put("a", "x")
			result := w.round()
			f := result.Findings[0]
			if f.Rule != finding.StoreFailed() || f.Advice() != "Start it; the next round tries again" || !strings.Contains(f.Message, "unavailable") {
				t.Errorf("finding %+v", f)
			}
			if state := states(result)["a"]; state != report.Failed && state != report.Unplaced {
				t.Errorf("a is %s", state)
			}
		})
	}
}

func TestRecordThatCannotBeReadIsReported(t *testing.T) {
	w := newEnv(t)
	w.put("a", "x")
	w.round()
	stolen := strings.ReplaceAll(w.content(aRecord), "- worker-1/", "- worker-2/")
	w.write(map[string]string{aRecord: stolen, bRecord: "nonsense", "worker-2/resources/default/redis/a/5058f/maps.yaml": "theirs"})
	w.remove("a")
	result := w.round()
	if got := rules(result); !slices.Equal(got, []string{"KS063", "KS063"}) {
		t.Errorf("findings %v", result.Findings)
	}
	if !slices.Contains(w.paths(), "worker-2/resources/default/redis/a/5058f/maps.yaml") {
		t.Error("a record made us delete another Destination's file")
	}
}

func TestRandomRounds(t *testing.T) {
	for _, mode := range []string{kratix.NestedByMetadata, kratix.AggregatedYAML, kratix.None} {
		for seed := range testkit.Seeds(15) {
			rng := rand.New(rand.NewPCG(seed, 3))
			w := newEnv(t)
			w.addDestination("worker-2", "two")
			for _, d := range w.snapshot.Destinations {
				d.Spec.Filepath.Mode = mode
			}
			w.policy.OnConflict = []dedupe.Policy{dedupe.Quarantine, dedupe.Share}[seed%2]
			for range 8 {
				w.disturb(rng)
				uncached := w.roundWithoutCache()
				if result := w.round(); !reflect.DeepEqual(result.Findings, uncached.Findings) || !maps.Equal(states(result), states(uncached)) {
					t.Fatalf("%s seed %d: the cache makes a difference:\n%v\n%v", mode, seed, result, uncached)
				}
				w.buildAll(seed)
				if again := w.round(); again.Changes() {
					t.Fatalf("%s seed %d: a second round changes %+v", mode, seed, again.Stores)
				}
			}
			w.policy.Allow = AllowAll()
			w.snapshot.Works = nil
			w.round()
			if got := w.paths(); len(got) > 0 {
				t.Fatalf("%s seed %d: left over: %v", mode, seed, got)
			}
		}
	}
}

func (w *testEnv) roundWithoutCache() report.Report {
	w.t.Helper()
	fresh := &Reconciler{Source: w, Stores: w, Finish: Preview, Policy: w.policy}
	result, err := fresh.Round(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return result
}

func (w *testEnv) disturb(rng *rand.Rand) {
	name := fmt.Sprint("w", rng.IntN(6))
	if rng.IntN(4) == 0 {
		w.remove(name)
		return
	}
	var maps []string
	for range 1 + rng.IntN(3) {
		maps = append(maps, fmt.Sprint("m", rng.IntN(8)))
	}
	w.putFiles(name, map[string]string{fmt.Sprint("f", rng.IntN(6), ".yaml"): testkit.ConfigMaps(maps...)})
}

func (w *testEnv) buildAll(seed uint64) {
	w.t.Helper()
	stored := w.state().Files
	for _, d := range w.snapshot.Destinations {
		roots, err := layout.Roots(d)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, root := range roots {
			var files []tree.File
			for _, path := range stored.Paths(root) {
				below, _ := path.RelativeTo(root)
				files = append(files, tree.File{Path: below, Content: []byte(w.content(path.String()))})
			}
			if err := kustomize.Build(root, files); err != nil {
				w.t.Fatalf("seed %d: %s: %v", seed, root, err)
			}
		}
	}
}

type early struct{ statestore.Store }

func (e early) Read(ctx context.Context) (statestore.State, error) {
	state, err := e.Store.Read(ctx)
	state.WriteInProgress = true
	return state, err
}

func TestPlacementsOfAWriteInProgressArePending(t *testing.T) {
	w := newEnv(t)
	w.put("a", "one")
	w.round()
	plain := w.store
	waits := func(when string) {
		t.Helper()
		r := w.round()
		for _, p := range r.Placements {
			if p.State != report.Pending {
				t.Errorf("%s: %s is %s", when, p.Work, p.State)
			}
		}
		if len(r.Placements) == 0 || len(r.Stores) > 0 {
			t.Errorf("%s: the report has %v and covers %v", when, r.Placements, r.Stores)
		}
	}
	w.store = early{plain}
	waits("nothing else is to be written")
	w.put("b", "two")
	w.store = early{&flaky{Store: plain, apply: &statestore.Error{Op: "write", Store: "x", Err: statestore.ErrPending}}}
	waits("more is to be written")
	w.store = plain
	w.expect(w.round(), map[string]report.State{"a": report.Unchanged, "b": report.Placed})
}
