package projected_test

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

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/projected"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/status"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
)

// cluster is a cluster in which this program schedules and Kratix writes, one WorkPlacement at a
// time.
type cluster struct {
	t          *testing.T
	now        time.Time
	works      map[string]*kratix.Work
	placements map[kratix.Key]*kratix.WorkPlacement
	// dirty maps each WorkPlacement with an unwritten change to the time of the first such change.
	dirty        map[kratix.Key]time.Time
	destinations []*kratix.Destination
	orphans      []kratix.Key
	store        *memory.Store
	reconciler   *reconcile.Reconciler
	hidden       bool
	policy       reconcile.Policy
}

func newCluster(t *testing.T, mode string, hidden bool) *cluster {
	c := &cluster{
		t: t, now: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC), works: map[string]*kratix.Work{},
		placements: map[kratix.Key]*kratix.WorkPlacement{}, dirty: map[kratix.Key]time.Time{}, store: memory.New("GitStateStore default"),
	}
	for _, name := range []string{"worker-1", "worker-2"} {
		c.destinations = append(c.destinations, testkit.Destination(name, testkit.InMode(mode), testkit.Labelled(map[string]string{"on": name})))
	}
	c.hidden = hidden
	c.restart()
	return c
}

func (c *cluster) restart() {
	clock := func() time.Time { return c.now }
	c.reconciler = &reconcile.Reconciler{
		Source: c, Stores: &projected.Stores{Opener: c, Unread: c.hidden, Now: clock}, Finish: reconcile.Preview, Now: clock, Policy: c.policy,
	}
}

func (c *cluster) Open(kratix.StateStoreReference, kratix.Object, *kratix.Secret) (statestore.Store, error) {
	return c.store, nil
}

func (c *cluster) Changes(context.Context) (<-chan struct{}, error) { return nil, nil }

func (c *cluster) Snapshot(context.Context) (source.Snapshot, error) {
	store := testkit.GitStore("default", "https://example.com/a.git")
	s := source.Snapshot{Destinations: c.destinations, StateStores: kratix.StateStores{GitStateStores: []*kratix.GitStateStore{store}}, FromAPI: true, Orphans: c.orphans}
	s.Works = slices.SortedFunc(maps.Values(c.works), source.Compare[*kratix.Work])
	s.WorkPlacements = slices.SortedFunc(maps.Values(c.placements), source.Compare[*kratix.WorkPlacement])
	for _, p := range s.WorkPlacements {
		if p.Labels[kratix.WorkLabel] != "" {
			s.Existing = append(s.Existing, p)
		}
	}
	for _, p := range s.WorkPlacements {
		if !p.DeletionTimestamp.IsZero() {
			s.Deleted = append(s.Deleted, p.Work())
		}
	}
	slices.SortFunc(s.Deleted, kratix.Key.Compare)
	return s, nil
}

func (c *cluster) put(name, on string, configMaps ...string) {
	work := testkit.Request(name, testkit.WithSelector(map[string]string{"on": on}))
	work.Generation = 1
	if before := c.works[name]; before != nil {
		work.Generation = before.Generation + 1
	}
	for _, m := range configMaps {
		testkit.WithFile(name+"-"+m+".yaml", testkit.ConfigMaps(m))(work)
	}
	c.works[name] = work
}

func (c *cluster) delete(name string) {
	delete(c.works, name)
	for key, p := range c.placements {
		if p.Labels[kratix.WorkLabel] == name {
			c.change(key, func(p *kratix.WorkPlacement) { p.DeletionTimestamp = &metav1.Time{Time: c.now} })
		}
	}
}

// change replaces a WorkPlacement by a changed copy.
func (c *cluster) change(key kratix.Key, how func(*kratix.WorkPlacement)) {
	made := c.placements[key].DeepCopy()
	how(made)
	made.Generation++
	c.placements[key] = made
	if _, waits := c.dirty[key]; !waits {
		c.dirty[key] = c.now
	}
}

func (c *cluster) round() report.Report {
	c.t.Helper()
	said, err := c.reconciler.Round(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	now := status.Objects{Works: slices.Collect(maps.Values(c.works)), WorkPlacements: slices.Collect(maps.Values(c.placements)), Destinations: c.destinations}
	for _, list := range status.Plan(said, now, status.Schedule, nil, metav1.NewTime(c.now)) {
		for _, change := range list {
			p, isPlacement := change.Object.(*kratix.WorkPlacement)
			for _, step := range change.Steps {
				switch {
				case !isPlacement:
				case step.Verb == status.Create:
					if c.placements[kratix.KeyOf(p)] != nil {
						c.t.Errorf("%s is created twice", p.Name)
					}
					c.placements[kratix.KeyOf(p)], c.dirty[kratix.KeyOf(p)] = p, c.now
				case step.Verb == status.Patch:
					c.patch(p, step.Patch)
				case step.Verb == status.Delete:
					c.change(kratix.KeyOf(p), func(p *kratix.WorkPlacement) { p.DeletionTimestamp = &metav1.Time{Time: c.now} })
				}
			}
		}
	}
	return said
}

func (c *cluster) patch(p *kratix.WorkPlacement, patch map[string]any) {
	c.change(kratix.KeyOf(p), func(p *kratix.WorkPlacement) {
		if spec, ok := patch["spec"].(kratix.WorkPlacementSpec); ok {
			p.Spec = spec
		}
		metadata, _ := patch["metadata"].(map[string]any)
		labels, _ := metadata["labels"].(map[string]any)
		for label := range labels { // schedule mode removes labels but sets none
			delete(p.Labels, label)
		}
	})
}

func (c *cluster) kratixWrites(random *rand.Rand) {
	c.t.Helper()
	if len(c.dirty) == 0 {
		return
	}
	keys := slices.SortedFunc(maps.Keys(c.dirty), kratix.Key.Compare)
	key := keys[random.IntN(len(keys))]
	for _, other := range keys {
		if c.now.Sub(c.dirty[other]) > 15*time.Second {
			key = other
		}
	}
	delete(c.dirty, key)
	p := c.placements[key]
	d := c.destinations[slices.IndexFunc(c.destinations, func(d *kratix.Destination) bool { return d.Name == p.Spec.TargetDestinationName })]
	c.write(d, p)
	if p.DeletionTimestamp.IsZero() {
		made := p.DeepCopy()
		made.Status.Conditions = []metav1.Condition{{Type: kratix.WriteSucceededCondition, Status: metav1.ConditionTrue}}
		c.placements[key] = made
		return
	}
	delete(c.placements, key)
}

func (c *cluster) write(d *kratix.Destination, p *kratix.WorkPlacement) {
	c.t.Helper()
	state, err := c.store.Read(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	changes := statestore.ChangeSet{Base: state.Revision}
	rendering, _ := layout.Render(d, p)
	list, _ := layout.FlatRecordPath(d, p)
	switch d.FilepathMode() {
	case kratix.NestedByMetadata:
		changes.Remove = state.Files.Paths(rendering.Dir)
	case kratix.None:
		if content, err := state.Contents.Content(c.t.Context(), list); err == nil && content != nil {
			if listed, err := layout.ParseRecord(content); err == nil {
				changes.Remove = append(listed.Files, list)
			}
		}
	case kratix.AggregatedYAML:
		var parts []layout.Part
		for _, other := range c.placements {
			if other.Spec.TargetDestinationName == d.Name && other.DeletionTimestamp.IsZero() {
				rendering, _ := layout.Render(d, other)
				parts = append(parts, layout.Part{Placement: other, Files: rendering.Files})
			}
		}
		path, _ := layout.JoinedFile(d)
		changes.Write, changes.Remove = layout.Join(parts), []tree.Path{path}
	}
	if p.DeletionTimestamp.IsZero() && d.FilepathMode() != kratix.AggregatedYAML {
		text := "files:\n"
		for _, file := range rendering.Files {
			changes.Write = append(changes.Write, file.File)
			text += "- " + file.Path.String() + "\n"
		}
		if d.FilepathMode() == kratix.None {
			changes.Write = append(changes.Write, tree.File{Path: list, Content: []byte(text)})
		}
	}
	changes.Remove = slices.DeleteFunc(changes.Remove, func(path tree.Path) bool {
		return slices.ContainsFunc(changes.Write, func(f tree.File) bool { return f.Path == path })
	})
	if _, err := c.store.Apply(c.t.Context(), changes); err != nil {
		c.t.Fatal(err)
	}
	c.checkNoDuplicates()
}

func (c *cluster) checkNoDuplicates() {
	c.t.Helper()
	state, err := c.store.Read(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	at := map[string]tree.Path{}
	for path := range state.Files.All() {
		content, err := state.Contents.Content(c.t.Context(), path)
		if err != nil {
			c.t.Fatal(err)
		}
		root, below := path.Cut()
		if c.destinations[0].FilepathMode() == kratix.NestedByMetadata {
			second, _ := below.Cut()
			root += "/" + second
		}
		for line := range strings.Lines(string(content)) {
			if name, is := strings.CutPrefix(line, "  name: "); is {
				if other, twice := at[root+" "+name]; twice {
					c.t.Fatalf("ConfigMap %s is in %s and in %s", strings.TrimSpace(name), other, path)
				}
				at[root+" "+name] = path
			}
		}
	}
}

func (c *cluster) runUntilIdle(random *rand.Rand) report.Report {
	c.t.Helper()
	for range 200 {
		c.round()
		c.kratixWrites(random)
		c.now = c.now.Add(time.Second)
	}
	return c.round()
}

func TestNoCommitOfKratixHasAnObjectTwice(t *testing.T) {
	testkit.Slow(t)
	for _, mode := range layout.Modes() {
		for _, hidden := range []bool{false, true} {
			for seed := range testkit.Seeds(5) {
				t.Run(fmt.Sprintf("%s/hidden=%v/%d", mode, hidden, seed), func(t *testing.T) {
					random := rand.New(rand.NewPCG(seed, 1))
					c := newCluster(t, mode, hidden)
					for range 150 {
						name := fmt.Sprint("w", random.IntN(6))
						switch what := random.IntN(10); {
						case what == 0:
							c.delete(name)
						case what < 5:
							var objects []string
							for _, object := range random.Perm(5)[:1+random.IntN(3)] {
								objects = append(objects, fmt.Sprint("o", object))
							}
							c.put(name, fmt.Sprint("worker-", 1+random.IntN(2)), objects...)
						}
						if random.IntN(8) == 0 { // a Destination changes in a field that does not matter, such as its status
							at := random.IntN(2)
							c.destinations[at] = c.destinations[at].DeepCopy()
						}
						if random.IntN(3) > 0 {
							c.round()
						}
						for range random.IntN(3) {
							c.kratixWrites(random)
						}
						c.now = c.now.Add(time.Second)
					}
					c.checkNothingWaits(c.runUntilIdle(random))
				})
			}
		}
	}
}

// checkNothingWaits checks that all changes are written. Two placements may wait for objects of
// each other, because no single commit can write both.
func (c *cluster) checkNothingWaits(said report.Report) {
	c.t.Helper()
	waiting := map[string]int{}
	for _, p := range said.Placements {
		if strings.Contains(p.Reason, "still in the state store") {
			waiting[p.Destination]++
		}
		if p.State == report.Placed {
			c.t.Errorf("%s on %s is not written as it should be", p.Work, p.Destination)
		}
	}
	for destination, n := range waiting {
		if n == 1 {
			c.t.Errorf("one on %s waits, and nothing is on its way", destination)
		}
	}
}
