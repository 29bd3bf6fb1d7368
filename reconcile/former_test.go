package reconcile

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
)

func fleet(t testing.TB, requests int) *testEnv {
	w := newEnv(t)
	w.snapshot.Destinations = nil
	w.addDestination("a", "path-a")
	w.addDestination("b", "path-b")
	for i := range requests {
		name := fmt.Sprintf("r%02d", i)
		w.put(name, name)
	}
	w.round()
	return w
}

func (w *testEnv) drop(name string) *kratix.Destination {
	at := slices.IndexFunc(w.snapshot.Destinations, func(d *kratix.Destination) bool { return d.Name == name })
	d := w.snapshot.Destinations[at]
	w.snapshot.Destinations = slices.Delete(slices.Clone(w.snapshot.Destinations), at, at+1)
	return d
}

func (w *testEnv) replace(name string, change func(*kratix.Destination)) {
	d := w.drop(name).DeepCopy()
	change(d)
	w.snapshot.Destinations = append(w.snapshot.Destinations, d)
}

func (w *testEnv) placedOn() map[string][]string {
	placed := map[string][]string{}
	for _, path := range w.paths() {
		dir, rest, is := strings.Cut(path, "/resources/default/redis/")
		if name, _, ok := strings.Cut(rest, "/"); is && ok && !slices.Contains(placed[name], dir) {
			placed[name] = append(placed[name], dir)
		}
	}
	return placed
}

func (w *testEnv) recordDecision(name, destination string) {
	for _, work := range w.snapshot.Works {
		if work.Name == name {
			work.Annotations = map[string]string{
				kratix.DecisionsAnnotation: work.Decide(map[string]kratix.Decision{kratix.GroupID("."): {Destination: destination}}),
			}
		}
	}
}

func (w *testEnv) settle() report.Report {
	var last report.Report
	for range 6 {
		last = w.round()
	}
	return last
}

func TestRequestsStayWhileTheirDestinationIsAway(t *testing.T) {
	w := fleet(t, 6)
	before := w.placedOn()
	a := w.drop("a")
	r := w.settle()
	if got := w.placedOn(); !maps.EqualFunc(got, before, slices.Equal) || !slices.Equal(rules(r), []string{"KS049"}) {
		t.Errorf("placed %v, before %v; findings %v", got, before, r.Findings)
	}
	w.put("new", "new")
	w.round()
	if got := w.placedOn()["new"]; !slices.Equal(got, []string{"path-b"}) {
		t.Errorf("a new request is on %v", got)
	}
	w.snapshot.Destinations = append(w.snapshot.Destinations, a)
	before = w.placedOn()
	if r := w.settle(); len(r.Findings) > 0 || r.Changes() || !maps.EqualFunc(w.placedOn(), before, slices.Equal) {
		t.Errorf("when it is back: placed %v, findings %v", w.placedOn(), r.Findings)
	}
}

func TestRequestsOfADestinationThatIsGoneMoveIfAsked(t *testing.T) {
	w := fleet(t, 6)
	w.drop("a")
	w.policy.OnMisplaced = scheduler.Move
	r := w.settle()
	for name, on := range w.placedOn() {
		if !slices.Contains(on, "path-b") {
			t.Errorf("%s is on %v", name, on)
		}
	}
	if !slices.Equal(rules(r), []string{"KS050"}) || r.Again {
		t.Errorf("findings %v, again %v", r.Findings, r.Again)
	}
}

func TestDestinationTakesItsRequestsToItsNewPath(t *testing.T) {
	w := fleet(t, 6)
	before := w.placedOn()
	w.replace("a", func(d *kratix.Destination) { d.Spec.Path = "new-a" })
	r := w.settle()
	if !slices.Equal(rules(r), []string{"KS050"}) || r.Changes() {
		t.Errorf("findings %v", r.Findings)
	}
	for name, on := range w.placedOn() {
		want := before[name]
		if slices.Equal(want, []string{"path-a"}) {
			want = []string{"new-a", "path-a"} // the old copy stays until a user removes it
		}
		if !slices.Equal(on, want) {
			t.Errorf("%s is on %v, want %v", name, on, want)
		}
	}
}

func TestDestinationTakesItsRequestsToItsNewStore(t *testing.T) {
	w := fleet(t, 6)
	stores := map[string]statestore.Store{"default": w.store, "other": memory.New("GitStateStore other")}
	w.open = func(ref kratix.StateStoreReference) statestore.Store { return stores[ref.Name] }
	w.snapshot.GitStateStores = append(w.snapshot.GitStateStores, testkit.GitStore("other", "elsewhere"))
	before := w.placedOn()
	for _, name := range []string{"a", "b"} { // no Destination uses the old store any more
		w.replace(name, func(d *kratix.Destination) {
			d.Spec.StateStoreRef = &kratix.StateStoreReference{Kind: kratix.GitStateStoreKind, Name: "other"}
		})
	}
	r := w.settle()
	if !slices.Equal(rules(r), []string{"KS050", "KS050"}) {
		t.Errorf("findings %v", r.Findings)
	}
	w.store = stores["other"]
	if got := w.placedOn(); !maps.EqualFunc(got, before, slices.Equal) {
		t.Errorf("placed %v, want %v", got, before)
	}
}

func TestDestinationsThatSwapPathsSwapTheirFilesInOneCommit(t *testing.T) {
	w := fleet(t, 8)
	dependency(w.put("crds", "crd"))
	w.round()
	before := w.placedOn()
	w.replace("a", func(d *kratix.Destination) { d.Spec.Path = "path-b" })
	w.replace("b", func(d *kratix.Destination) { d.Spec.Path = "path-a" })
	commits := w.commits()
	w.round()
	if n := w.commits() - commits; n != 1 {
		t.Errorf("%d commits", n)
	}
	for name, on := range w.placedOn() {
		want := map[string]string{"path-a": "path-b", "path-b": "path-a"}[before[name][0]]
		if !slices.Equal(on, []string{want}) {
			t.Errorf("%s was on %v and is on %v", name, before[name], on)
		}
	}
	if r := w.round(); r.Changes() || len(r.Findings) > 0 {
		t.Errorf("the next round: %+v", r)
	}
}

func TestSwapWaitsForAPlacementThatIsHeldBack(t *testing.T) {
	w := fleet(t, 8)
	before := w.placedOn()
	var onA string
	for name, on := range before {
		if on[0] == "path-a" {
			onA = name
		}
	}
	w.replace("a", func(d *kratix.Destination) { d.Spec.Path = "path-b" })
	w.replace("b", func(d *kratix.Destination) { d.Spec.Path = "path-a" })
	w.putFiles(onA, map[string]string{"maps.yaml": "no: object\n"})
	w.settle()
	if got := w.placedOn()[onA]; !slices.Equal(got, []string{"path-a"}) {
		t.Errorf("%s cannot be written but is on %v", onA, got)
	}
	w.put(onA, onA)
	w.settle()
	if got := w.placedOn()[onA]; !slices.Equal(got, []string{"path-b"}) {
		t.Errorf("%s is on %v in the end", onA, got)
	}
}

func TestRenamedDestinationKeepsWhatIsInItsDirectory(t *testing.T) {
	for _, mode := range []string{kratix.NestedByMetadata, kratix.AggregatedYAML, kratix.None} {
		w := newEnv(t)
		w.snapshot.Destinations = nil
		for _, name := range []string{"a", "b"} {
			w.addDestination(name, "path-"+name).Spec.Filepath.Mode = mode
		}
		for i := range 6 {
			name := fmt.Sprintf("r%02d", i)
			w.putFiles(name, map[string]string{name + ".yaml": testkit.ConfigMaps(name)})
		}
		w.round()
		before := w.manifests()
		w.replace("a", func(d *kratix.Destination) { d.Name = "renamed" })
		if r := w.settle(); len(r.Findings) > 0 || r.Changes() || w.manifests() != before {
			t.Errorf("mode %s: findings %v, the store has\n%s\nwant\n%s", mode, r.Findings, w.manifests(), before)
		}
		for _, path := range w.paths() {
			if _, isRecord := layout.RecordBase(testkit.Path(path)); isRecord && strings.Contains(path, ".a-") {
				t.Errorf("mode %s: the record %s is left", mode, path)
			}
		}
	}
}

func TestChangedFilepathModeIsAnErrorUntilItIsConfirmed(t *testing.T) {
	modes := []string{kratix.NestedByMetadata, kratix.AggregatedYAML, kratix.None}
	for _, from := range modes {
		for _, to := range modes {
			if from == to {
				continue
			}
			t.Run(from+" to "+to, func(t *testing.T) {
				w := inMode(t, from)
				for _, name := range []string{"a", "b"} {
					w.putFiles(name, map[string]string{name + ".yaml": testkit.ConfigMaps(name), "dir/" + name + ".yaml": testkit.ConfigMaps(name + "2")})
				}
				dependency(w.putFiles("dep", map[string]string{"dep.yaml": testkit.ConfigMaps("dep")}))
				w.round()
				before := w.dump()
				w.replace("worker-1", func(d *kratix.Destination) { d.Spec.Filepath.Mode = to })
				w.putFiles("c", map[string]string{"c.yaml": testkit.ConfigMaps("c")})
				if r := w.settle(); w.dump() != before || !slices.Contains(rules(r), "KS051") {
					t.Errorf("findings %v, the store has\n%s", r.Findings, w.dump())
				}
				w.replace("worker-1", func(d *kratix.Destination) { d.Annotations = map[string]string{scheduler.FilepathModeAnnotation: to} })
				commits := w.commits()
				w.round()
				if r := w.settle(); len(r.Findings) > 0 || w.commits() != commits+1 {
					t.Errorf("findings %v, %d commits", r.Findings, w.commits()-commits)
				}
				fresh := inMode(t, to)
				fresh.snapshot = w.snapshot
				fresh.round()
				if got, want := w.dump(), fresh.dump(); got != want {
					t.Errorf("the store has\n%s\nwant\n%s", got, want)
				}
			})
		}
	}
}

func TestDestinationIsNotPartlyRewrittenInANewLayout(t *testing.T) {
	w := inMode(t, kratix.NestedByMetadata)
	w.put("a", "x")
	w.put("b", "y")
	w.round()
	before := w.dump()
	w.putFiles("b", map[string]string{"b.yaml": "no: object\n"})
	w.replace("worker-1", func(d *kratix.Destination) {
		d.Spec.Filepath.Mode = kratix.AggregatedYAML
		d.Annotations = map[string]string{scheduler.FilepathModeAnnotation: kratix.AggregatedYAML}
	})
	if r := w.settle(); w.dump() != before || !slices.Contains(rules(r), "KS051") {
		t.Errorf("findings %v, the store has\n%s", r.Findings, w.dump())
	}
}

func TestAggregatedFileIsRenamed(t *testing.T) {
	w := inMode(t, kratix.AggregatedYAML)
	w.put("a", "x")
	w.put("b", "y")
	w.round()
	w.replace("worker-1", func(d *kratix.Destination) { d.Spec.Filepath.Filename = "all.yaml" })
	r := w.settle()
	if got := w.paths(); len(r.Findings) > 0 || !slices.Contains(got, "worker-1/all.yaml") || slices.Contains(got, "worker-1/aggregated.yaml") {
		t.Errorf("findings %v, the store has %v", r.Findings, got)
	}
}

func TestOneOfTwoCopiesIsKept(t *testing.T) {
	w := fleet(t, 6)
	before := w.placedOn()
	a := w.drop("a")
	w.policy.OnMisplaced = scheduler.Move
	w.settle()
	w.policy.OnMisplaced = scheduler.Keep
	w.snapshot.Destinations = append(w.snapshot.Destinations, a)
	w.settle()
	for name, on := range w.placedOn() {
		if len(on) != 1 {
			t.Errorf("%s was on %v and is on %v", name, before[name], on)
		}
	}
}

func TestUnexplainedSecondCopyIsReportedAndRemoved(t *testing.T) {
	for name, c := range map[string]struct {
		prefer func(*testEnv)
		want   string
	}{
		"the WorkPlacement's stays":    {func(w *testEnv) { w.addWorkPlacement(w.snapshot.Works[0], "b") }, "path-b"},
		"the decision's stays":         {func(w *testEnv) { w.recordDecision("r00", "b") }, "path-b"},
		"else the first by its name's": {func(*testEnv) {}, "path-a"},
	} {
		t.Run(name, func(t *testing.T) {
			w := fleet(t, 0)
			b := w.drop("b")
			w.put("r00", "r00")
			w.round()
			a := w.drop("a")
			stored := w.state()
			w.store = memory.New("GitStateStore default")
			w.snapshot.Destinations = append(w.snapshot.Destinations, b)
			w.round()
			w.merge(stored)
			w.snapshot.Destinations = append(w.snapshot.Destinations, a)
			c.prefer(w)
			if r := w.round(); !slices.Contains(rules(r), "KS052") {
				t.Errorf("findings %v", r.Findings)
			}
			r := w.settle()
			if got := w.placedOn()["r00"]; !slices.Equal(got, []string{c.want}) || slices.Contains(rules(r), "KS052") {
				t.Errorf("on %v, findings %v", got, r.Findings)
			}
		})
	}
}

func TestFilesOfKratixAreFoundOnAllDestinations(t *testing.T) {
	for _, mode := range []string{kratix.NestedByMetadata, kratix.None} {
		w := newEnv(t)
		w.snapshot.Destinations = nil
		for _, name := range []string{"a", "b"} {
			w.addDestination(name, "path-"+name).Spec.Filepath.Mode = mode
		}
		files := map[string]string{}
		for i := range 8 {
			name := fmt.Sprintf("r%02d", i)
			w.putFiles(name, map[string]string{name + ".yaml": testkit.ConfigMaps(name)})
			file := "path-a/" + name + ".yaml"
			if mode == kratix.NestedByMetadata {
				file = fmt.Sprintf("path-a/resources/default/redis/%s/5058f/%s.yaml", name, name)
			} else {
				files[fmt.Sprintf("path-a/.kratix/default-%s.a-5058f.yaml", name)] = "files:\n- /" + file + "\n"
			}
			files[file] = testkit.ConfigMaps(name)
		}
		w.write(files)
		r := w.settle()
		for _, path := range w.paths() {
			if strings.HasPrefix(path, "path-b/") {
				t.Errorf("mode %s: %s is written again", mode, path)
			}
		}
		if len(r.Findings) > 0 {
			t.Errorf("mode %s: findings %v", mode, r.Findings)
		}
	}
}

func TestRandomDestinationEvents(t *testing.T) {
	for seed := range testkit.Seeds(40) {
		randomDestinationEvents(t, seed, memory.New("GitStateStore default"))
	}
}

func TestRandomDestinationEventsOnGit(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			repository := gittest.Bare(t)
			store, err := git.Open(git.Config{Name: "GitStateStore default", URL: repository, Now: time.Now})
			if err != nil {
				t.Fatal(err)
			}
			randomDestinationEvents(t, 100+seed, store)
			gittest.Fsck(t, repository)
		})
	}
}

func randomDestinationEvents(t *testing.T, seed uint64, store statestore.Store) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 7))
	w := newEnv(t)
	w.store = store
	w.snapshot.Destinations = nil
	for i := range 4 {
		w.addDestination(fmt.Sprint("d", i), fmt.Sprint("path-", i)).Labels = map[string]string{"env": "dev"}
	}
	for i := range 10 {
		name := fmt.Sprintf("r%02d", i)
		w.put(name, name).Spec.WorkloadGroups[0].DestinationSelectors = []kratix.Selector{{Source: "promise", MatchLabels: map[string]string{"env": "dev"}}}
	}
	dependency(w.put("dep", "dep"))
	var away []*kratix.Destination
	paths := 4
	for range 25 {
		if len(w.snapshot.Destinations) > 1 {
			name := w.snapshot.Destinations[rng.IntN(len(w.snapshot.Destinations))].Name
			other := w.snapshot.Destinations[rng.IntN(len(w.snapshot.Destinations))].Name
			switch rng.IntN(8) {
			case 0:
				away = append(away, w.drop(name))
			case 1:
				paths++
				w.replace(name, func(d *kratix.Destination) { d.Spec.Path = fmt.Sprint("path-", paths) })
			case 2:
				if name != other {
					w.swap(name, other)
				}
			case 3:
				w.replace(name, func(d *kratix.Destination) { d.Labels = map[string]string{"env": []string{"dev", "prod"}[rng.IntN(2)]} })
			case 4:
				w.replace(name, func(d *kratix.Destination) {
					d.Annotations = map[string]string{scheduler.CordonAnnotation: strconv.FormatBool(rng.IntN(2) == 0)}
				})
			case 5:
				paths++
				w.replace(name, func(d *kratix.Destination) { d.Name += "x" })
			case 6:
				mode := []string{kratix.NestedByMetadata, kratix.None, kratix.AggregatedYAML}[rng.IntN(3)]
				w.replace(name, func(d *kratix.Destination) {
					d.Spec.Filepath.Mode = mode
					d.Annotations = map[string]string{scheduler.FilepathModeAnnotation: mode}
				})
			}
		}
		if len(away) > 0 && rng.IntN(3) == 0 {
			w.snapshot.Destinations = append(w.snapshot.Destinations, away[0])
			away = away[1:]
		}
		for range rng.IntN(3) {
			w.round()
		}
	}
	w.settle()
	w.expectOneEach(seed)
	w.snapshot.Destinations = append(w.snapshot.Destinations, away...)
	w.settle()
	w.expectOneEach(seed)
}

func (w *testEnv) swap(one, other string) {
	var first, second string
	for _, d := range w.snapshot.Destinations {
		switch d.Name {
		case one:
			first = d.Spec.Path
		case other:
			second = d.Spec.Path
		}
	}
	w.replace(one, func(d *kratix.Destination) { d.Spec.Path = second })
	w.replace(other, func(d *kratix.Destination) { d.Spec.Path = first })
}

func (w *testEnv) expectOneEach(seed uint64) {
	w.t.Helper()
	bases := map[string]string{}
	for _, d := range w.snapshot.Destinations {
		bases[d.Spec.Path] = d.Name
	}
	current, copies := map[string][]string{}, map[string][]string{}
	for _, path := range w.paths() {
		base, isRecord := layout.RecordBase(testkit.Path(path))
		if !isRecord {
			continue
		}
		record, err := layout.ParseRecord([]byte(w.content(path)))
		if err != nil || record.Placement.IsDependency() {
			continue
		}
		name, target := record.Placement.Work().Name, record.Placement.Spec.TargetDestinationName
		if bases[base.String()] == target {
			current[name] = append(current[name], target)
		} else {
			copies[name] = append(copies[name], target+" in "+base.String())
		}
	}
	for i := range 10 {
		name := fmt.Sprintf("r%02d", i)
		if len(current[name]) > 1 || len(current[name])+len(copies[name]) == 0 {
			w.t.Errorf("seed %d: %s is on %v, with copies %v\n%s", seed, name, current[name], copies[name], strings.Join(w.paths(), "\n"))
		}
	}
}

func TestCleanupRemovesWhatIsLeftAndNothingElse(t *testing.T) {
	for name, change := range map[string]func(*testEnv){
		"the path changed":     func(w *testEnv) { w.replace("a", func(d *kratix.Destination) { d.Spec.Path = "new-a" }) },
		"the Destination went": func(w *testEnv) { w.drop("a") },
	} {
		t.Run(name, func(t *testing.T) {
			w := fleet(t, 6)
			w.write(map[string]string{"path-a/human.yaml": "by: hand\n"})
			change(w)
			w.settle()
			before := w.allPaths()
			left, failed, err := w.reconciler.Cleanup(t.Context(), "a")
			if err != nil || len(failed) > 0 || len(left) != 1 || left[0].Err != nil {
				t.Fatalf("%+v, %v, %v", left, failed, err)
			}
			want := slices.DeleteFunc(before, func(path string) bool { return strings.HasPrefix(path, "path-a/") && path != "path-a/human.yaml" })
			if got := w.allPaths(); !slices.Equal(got, want) {
				t.Errorf("the store has %v, want %v", got, want)
			}
			if again, _, _ := w.reconciler.Cleanup(t.Context(), "a"); len(again) > 0 {
				t.Errorf("again: %+v", again)
			}
		})
	}
}
