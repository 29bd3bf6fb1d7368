package promoted_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/promoted"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
)

type cluster struct {
	t          *testing.T
	now        time.Time
	mode       string
	placements map[kratix.Key]*kratix.WorkPlacement
	// deleted contains the WorkPlacements that the API has reported as deleted.
	deleted      map[kratix.Key]bool
	destinations map[string]*kratix.Destination
	// unreadable are Destinations that cannot be decoded.
	unreadable []*kratix.Destination
	stores     map[string]*memory.Store
	reconciler *reconcile.Reconciler
}

func newCluster(t *testing.T, mode string) *cluster {
	c := &cluster{
		t: t, mode: mode, now: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC),
		placements: map[kratix.Key]*kratix.WorkPlacement{}, deleted: map[kratix.Key]bool{}, destinations: map[string]*kratix.Destination{},
		stores: map[string]*memory.Store{"live-1": memory.New("GitStateStore live-1"), "live-2": memory.New("GitStateStore live-2")},
	}
	c.restart()
	return c
}

func (c *cluster) restart() { c.reconciler = c.process(reconcile.Commit) }

func (c *cluster) process(finish reconcile.Finish) *reconcile.Reconciler {
	decided := promoted.New(c, nil)
	return &reconcile.Reconciler{Source: decided, Planner: decided, Stores: c, Finish: finish, Now: func() time.Time { return c.now }}
}

func (c *cluster) Open(ref kratix.StateStoreReference, _ kratix.Object, _ *kratix.Secret) (statestore.Store, error) {
	store := c.stores[ref.Name]
	if store == nil && len(c.destinations) > 0 {
		c.t.Errorf("%s is opened", ref)
	}
	if store == nil {
		store = memory.New(ref.String())
	}
	return store, nil
}

func (c *cluster) Changes(context.Context) (<-chan struct{}, error) { return nil, nil }

func (c *cluster) Snapshot(context.Context) (source.Snapshot, error) {
	s := source.Snapshot{FromAPI: true, Unwritten: c.unreadable}
	for _, name := range []string{"live-1", "live-2", "staging"} {
		s.GitStateStores = append(s.GitStateStores, gitStore(name, "https://example.com/"+name+".git", "main", ""))
	}
	s.Destinations = slices.SortedFunc(maps.Values(c.destinations), source.Compare[*kratix.Destination])
	s.WorkPlacements = slices.SortedFunc(maps.Values(c.placements), source.Compare[*kratix.WorkPlacement])
	s.DeletedPlacements = slices.SortedFunc(maps.Keys(c.deleted), kratix.Key.Compare)
	return s, nil
}

func (c *cluster) destination(name, live, cleanup string) {
	if live != "" {
		live = "GitStateStore/" + live
	}
	d := destinationOn(name, name, "staging", live)
	d.Spec.Filepath.Mode, d.Spec.Cleanup = c.mode, cleanup
	c.destinations[name] = d
}

func (c *cluster) place(work, destination string, files ...string) {
	p := placed(work, destination, files...)
	if strings.HasPrefix(work, "dependency") {
		p.Spec.ResourceName = ""
	}
	for i := range p.Spec.Workloads { // in mode none, each object must have its own path
		p.Spec.Workloads[i].Filepath = work + "-" + p.Spec.Workloads[i].Filepath
	}
	if before := c.placements[kratix.KeyOf(p)]; before != nil {
		p.Generation, p.Spec.Generation = before.Generation+1, before.Spec.Generation+1
	}
	c.placements[kratix.KeyOf(p)] = p
	delete(c.deleted, kratix.KeyOf(p))
}

func (c *cluster) remove(match func(*kratix.WorkPlacement) bool) {
	for key, p := range c.placements {
		if match(p) {
			delete(c.placements, key)
			c.deleted[key] = true
		}
	}
}

func (c *cluster) round() report.Report {
	c.t.Helper()
	c.now = c.now.Add(time.Second)
	said, err := c.reconciler.Round(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	c.checkNoDuplicates()
	fresh, err := c.process(reconcile.Preview).Round(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	for _, p := range fresh.Placements {
		if p.State == report.Placed || p.State == report.Removed {
			c.t.Fatalf("%s on %s is %s by who remembers nothing: %s", p.Work, p.Destination, p.State, p.Reason)
		}
	}
	return said
}

func (c *cluster) files(store string) map[tree.Path]string {
	c.t.Helper()
	state, err := c.stores[store].Read(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	files := map[tree.Path]string{}
	for path := range state.Files.All() {
		content, err := state.Contents.Content(c.t.Context(), path)
		if err != nil {
			c.t.Fatal(err)
		}
		files[path] = string(content)
	}
	return files
}

func (c *cluster) checkNoDuplicates() {
	c.t.Helper()
	for store := range c.stores {
		at := map[string]tree.Path{}
		for path, content := range c.files(store) {
			root, below := path.Cut()
			if c.mode == kratix.NestedByMetadata {
				kind, _ := below.Cut()
				root += "/" + kind
			}
			if strings.Contains(path.String(), ".kratix/") {
				continue
			}
			for line := range strings.Lines(content) {
				if name, is := strings.CutPrefix(line, "  name: "); is {
					if other, twice := at[root+" "+name]; twice {
						c.t.Fatalf("ConfigMap %s is in %s and in %s of %s", strings.TrimSpace(name), other, path, store)
					}
					at[root+" "+name] = path
				}
			}
		}
	}
}

func (c *cluster) checkLiveFiles(said report.Report, emptied map[string]bool) {
	c.t.Helper()
	stored := map[string]map[tree.Path]string{"live-1": c.files("live-1"), "live-2": c.files("live-2")}
	isHeld, wanted := map[kratix.Key]bool{}, map[tree.Path]bool{}
	for _, p := range said.Placements {
		if p.Object != nil && p.State == report.HeldBack {
			isHeld[kratix.KeyOf(p.Object)] = true
		}
	}
	for key, p := range c.placements {
		d := c.destinations[p.Spec.TargetDestinationName]
		if d == nil || d.Annotations == nil {
			continue
		}
		live := strings.TrimPrefix(d.Annotations[scheduler.StateStoreAnnotation], "GitStateStore/")
		rendering, findings := layout.Render(d, p)
		if len(findings) > 0 {
			c.t.Fatal(findings)
		}
		for _, file := range rendering.Files {
			wanted[file.Path] = true
			if got := stored[live][file.Path]; !isHeld[key] && !strings.Contains(got, strings.TrimSpace(string(file.Content))) {
				c.t.Errorf("%s has %q at %s, want %q", live, got, file.Path, file.Content)
			}
		}
	}
	for store, files := range stored {
		for path := range files {
			name, _ := path.Cut()
			d := c.destinations[name]
			isHere := d != nil && d.Annotations[scheduler.StateStoreAnnotation] == "GitStateStore/"+store
			isOurs := strings.Contains(path.String(), ".kratix/") || strings.Contains(path.String(), "canary")
			if emptied[name] && d == nil || isHere && !isOurs && !wanted[path] && len(isHeld) == 0 {
				c.t.Errorf("%s still has %s", store, path)
			}
		}
	}
}

func TestLiveStoresNeverHaveAnObjectTwice(t *testing.T) {
	testkit.Slow(t)
	for _, mode := range layout.Modes() {
		for seed := range testkit.Seeds(3) {
			t.Run(fmt.Sprintf("%s/%d", mode, seed), func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 3))
				c := newCluster(t, mode)
				emptied := map[string]bool{}
				for range 120 {
					c.changeAtRandom(random, emptied)
					if random.IntN(3) > 0 {
						c.round()
					}
				}
				for range 4 {
					c.round()
				}
				c.checkLiveFiles(c.round(), emptied)
			})
		}
	}
}

func (c *cluster) changeAtRandom(random *rand.Rand, emptied map[string]bool) {
	work, destination := fmt.Sprint("w", random.IntN(5)), fmt.Sprint("d", random.IntN(3))
	if random.IntN(3) == 0 {
		work = fmt.Sprint("dependency", random.IntN(2))
	}
	d := c.destinations[destination]
	switch what := random.IntN(20); {
	case d == nil:
		if random.IntN(3) == 0 {
			c.destination(destination, "live-1", []string{"all", "none"}[random.IntN(2)])
			delete(emptied, destination)
		}
	case what == 0: // the Destination loses its live state store, or gets it back
		live := ""
		if d.Annotations == nil {
			live = "live-1"
		}
		c.destination(destination, live, d.Spec.Cleanup)
	case what == 1 && d.CleansUp() && d.Annotations != nil: // the Destination is deleted with its files, as the finalizer requires
		going := *d
		going.DeletionTimestamp = &metav1.Time{Time: c.now}
		c.destinations[destination] = &going
		c.round()
		for path := range c.files("live-1") {
			if name, _ := path.Cut(); name == destination {
				c.t.Errorf("%s is deleted, and %s is still there", name, path)
			}
		}
		c.remove(func(p *kratix.WorkPlacement) bool { return p.Spec.TargetDestinationName == destination })
		c.round()
		delete(c.destinations, destination)
		emptied[destination] = true
	case what == 2:
		c.restart()
	case what == 3:
		c.remove(func(p *kratix.WorkPlacement) bool { return p.Work().Name == work })
	case what == 4:
		c.remove(func(p *kratix.WorkPlacement) bool {
			return p.Work().Name == work && p.Spec.TargetDestinationName == destination
		})
	default:
		var objects []string
		for _, object := range random.Perm(5)[:1+random.IntN(3)] {
			objects = append(objects, fmt.Sprint("o", object))
		}
		c.place(work, destination, objects...)
	}
}

func TestLiveStoreThatChangesIsFilledBeforeTheOldOneIsLeft(t *testing.T) {
	c := newCluster(t, kratix.NestedByMetadata)
	c.destination("d0", "live-1", "none")
	c.place("w", "d0", "one")
	c.round()
	before := c.files("live-1")
	c.destination("d0", "live-2", "none")
	c.round()
	said := c.round()
	if now := c.files("live-1"); !maps.Equal(now, before) {
		t.Errorf("the old store has %v, want %v", now, before)
	}
	if got := said.Stores[0].Locations["d0"]; got != "example.com/live-2#main:d0" {
		t.Errorf("the report says that it is at %s", got)
	}
	for path, content := range before {
		if got := c.files("live-2")[path]; got != content && !strings.HasPrefix(path.Base(), ".") {
			t.Errorf("the new store has %q at %s, want %q", got, path, content)
		}
	}
	if !slices.ContainsFunc(said.Findings, func(f finding.Finding) bool { return f.Rule.ID == "KS050" }) {
		t.Errorf("nothing is said of the old copy: %v", said.Findings)
	}
}

func TestRequestMayHaveTwoWorkPlacements(t *testing.T) {
	c := newCluster(t, kratix.NestedByMetadata)
	c.destination("d0", "live-1", "none")
	c.destination("d1", "live-1", "none")
	c.place("w", "d0", "one")
	c.place("w", "d1", "two")
	for range 3 {
		if said := c.round(); len(said.Findings) > 0 {
			t.Errorf("findings %v", said.Findings)
		}
	}
	c.checkLiveFiles(c.round(), nil)
}

func TestDeletionsInTheAPIAreNotLimited(t *testing.T) {
	for _, isSaid := range []bool{true, false} {
		c := newCluster(t, kratix.NestedByMetadata)
		c.destination("d0", "live-1", "none")
		c.place("stays", "d0", "one")
		for i := range 20 {
			c.place(fmt.Sprint("w", i), "d0", fmt.Sprint("c", i))
		}
		c.round()
		c.remove(func(p *kratix.WorkPlacement) bool { return p.Work().Name != "stays" })
		if !isSaid {
			clear(c.deleted)
		}
		said, err := c.reconciler.Round(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		left := 0
		for path := range c.files("live-1") {
			if base := path.Base(); strings.HasPrefix(base, "w") {
				left++
			}
		}
		if want := map[bool]int{true: 0, false: 20}[isSaid]; left != want || said.Has(finding.DeletionsRefused()) == isSaid {
			t.Errorf("deletions are said: %v; %d files are left, want %d; %v", isSaid, left, want, said.Findings)
		}
	}
}

func TestAnotherDestinationInTheDirectoryRemovesNothing(t *testing.T) {
	c := newCluster(t, kratix.NestedByMetadata)
	c.destination("d0", "live-1", "none")
	c.place("w", "d0", "one")
	c.round()
	before := c.files("live-1")
	c.destination("d0", "", "none")
	c.round()
	c.destination("d1", "live-1", "none")
	c.destinations["d1"].Spec.Path = "d0"
	for range 3 {
		c.round()
	}
	for path, content := range before {
		if got := c.files("live-1")[path]; got != content {
			t.Errorf("%s is %q", path, got)
		}
	}
}

func TestLiveStoreThatBeginsAsACopyIsTakenOver(t *testing.T) {
	for _, mode := range layout.Modes() {
		c := newCluster(t, mode)
		c.destination("d0", "live-1", "none")
		c.place("w", "d0", "one")
		c.place("dependency0", "d0", "two")
		var changes statestore.ChangeSet
		var parts []layout.Part
		copied := map[tree.Path]string{}
		for _, p := range slices.SortedFunc(maps.Values(c.placements), source.Compare[*kratix.WorkPlacement]) {
			rendering, _ := layout.Render(c.destinations["d0"], p)
			parts = append(parts, layout.Part{Placement: p, Files: rendering.Files})
			for _, file := range rendering.Files {
				if !rendering.Joined {
					changes.Write = append(changes.Write, file.File)
				}
			}
			if list, err := layout.FlatRecordPath(c.destinations["d0"], p); mode == kratix.None && err == nil {
				changes.Write = append(changes.Write, tree.File{Path: list, Content: []byte("files:\n- " + rendering.Files[0].Path.String() + "\n")})
			}
		}
		if mode == kratix.AggregatedYAML {
			changes.Write = layout.Join(parts)
		}
		for _, file := range changes.Write {
			if !strings.Contains(file.Path.String(), ".kratix/") {
				copied[file.Path] = string(file.Content)
			}
		}
		if _, err := c.stores["live-1"].Apply(t.Context(), changes); err != nil {
			t.Fatal(err)
		}
		said := c.round()
		for _, store := range said.Stores {
			for _, d := range store.Destinations {
				for _, path := range slices.Concat(d.Changed, d.Removed) {
					if copied[path] != "" {
						t.Errorf("%s: %s is written again", mode, path)
					}
				}
			}
		}
		c.checkLiveFiles(c.round(), nil)
		c.remove(func(*kratix.WorkPlacement) bool { return true })
		c.place("other", "d0", "one")
		c.round()
		c.checkLiveFiles(c.round(), nil)
	}
}
