package reconcile_test

import (
	"context"
	"fmt"
	"math/rand"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/status"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
)

// nameLabel is the label by which the replicas select state stores.
const nameLabel = "name"

type sharded struct {
	t        testing.TB
	stores   map[string]statestore.Store
	works    []*kratix.Work
	destined []*kratix.Destination
	rollouts []*kratix.Rollout
	replicas []*replica
	version  int
}

// replica is a shard with its own snapshot, which can be outdated.
type replica struct {
	*reconcile.Reconciler
	cluster  *sharded
	sees     source.Snapshot
	said     report.Report
	selected map[string]bool
}

func newSharded(t testing.TB, stores, replicas int) *sharded {
	s := &sharded{t: t, stores: map[string]statestore.Store{}}
	for i := range stores {
		name := fmt.Sprint("s", i)
		s.stores[name] = memory.New(name)
		s.destined = append(s.destined, destinationOn(name, "dev"))
	}
	for range replicas {
		r := &replica{cluster: s, selected: map[string]bool{}}
		r.Reconciler = &reconcile.Reconciler{Source: r, Stores: r, Finish: reconcile.Commit, Selects: func(labels map[string]string) bool { return r.selected[labels[nameLabel]] }}
		s.replicas = append(s.replicas, r)
		r.refresh()
	}
	return s
}

func destinationOn(name, env string) *kratix.Destination {
	return testkit.Destination(name, testkit.OnStore(name), testkit.Labelled(map[string]string{"env": env}))
}

func (s *sharded) request(name string) {
	w := testkit.Request(name, testkit.WithConfigMaps(name), testkit.WithSelector(map[string]string{"env": "dev"}))
	w.UID = types.UID("uid-" + name)
	s.put(w)
}

func (s *sharded) put(w *kratix.Work) {
	s.version++
	w.ResourceVersion = strconv.Itoa(s.version)
	s.works = append(slices.DeleteFunc(slices.Clone(s.works), func(o *kratix.Work) bool { return o.Name == w.Name }), w)
}

func (r *replica) refresh() {
	r.sees = source.Snapshot{Works: slices.Clone(r.cluster.works), Destinations: slices.Clone(r.cluster.destined), Rollouts: r.cluster.rollouts}
	for _, d := range r.cluster.destined {
		store := testkit.GitStore(d.Name, "https://git.example.com/"+d.Name)
		store.Labels = map[string]string{nameLabel: d.Name}
		r.sees.GitStateStores = append(r.sees.GitStateStores, store)
	}
	slices.SortFunc(r.sees.Works, source.Compare)
}

func (r *replica) Snapshot(context.Context) (source.Snapshot, error) { return r.sees, nil }

func (r *replica) Changes(context.Context) (<-chan struct{}, error) { return nil, nil }

func (r *replica) Open(ref kratix.StateStoreReference, _ kratix.Object, _ *kratix.Secret) (statestore.Store, error) {
	return r.cluster.stores[ref.Name], nil
}

func (r *replica) round() {
	r.cluster.t.Helper()
	said, err := r.Round(r.cluster.t.Context())
	if err != nil {
		r.cluster.t.Fatal(err)
	}
	r.said = said
}

// recordDecisions writes the decisions to the Works, unless a Work has changed since the snapshot.
func (r *replica) recordDecisions() {
	seen := status.Objects{Works: r.sees.Works, Destinations: r.sees.Destinations, StateStores: r.sees.StateStores}
	for _, change := range slices.Concat(status.Plan(r.said, seen, status.Manage, r.Selects, metav1.Time{})...) {
		for _, step := range change.Steps {
			metadata, _ := step.Patch["metadata"].(map[string]any)
			annotations, decides := metadata["annotations"].(map[string]any)
			if step.Verb != status.Patch || !decides {
				continue
			}
			at := slices.IndexFunc(r.cluster.works, func(w *kratix.Work) bool { return w.Name == change.Object.GetName() })
			if old, _ := change.Object.(*kratix.Work); at < 0 || r.cluster.works[at].ResourceVersion != old.ResourceVersion {
				continue // the API rejects the write as a conflict
			}
			made := r.cluster.works[at].DeepCopy()
			made.Annotations = map[string]string{kratix.DecisionsAnnotation: fmt.Sprint(annotations[kratix.DecisionsAnnotation])}
			r.cluster.put(made)
		}
	}
}

func (s *sharded) storesWith(request string) []string {
	s.t.Helper()
	var found []string
	for name, store := range s.stores {
		state, err := store.Read(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		for path := range state.Files.Below(tree.Path{}) {
			if strings.HasSuffix(path.String(), "/"+request+".yaml") && !strings.Contains(path.String(), ".kratix/") {
				found = append(found, name)
			}
		}
	}
	slices.Sort(found)
	return found
}

func TestRequestIsInOneStoreWhateverShardsSee(t *testing.T) {
	const requests, stores = 3, 2
	placed := 0
	for seed := range int64(40) {
		random := rand.New(rand.NewSource(seed))
		s := newSharded(t, stores, 2)
		for i := range requests {
			s.request(fmt.Sprint("r", i))
		}
		busy := map[*replica]bool{}
		var happen func()
		for _, r := range s.replicas {
			for i := range stores {
				r.selected[fmt.Sprint("s", i)] = random.Intn(2) == 0
			}
			r.Finish = func(ctx context.Context, parts []statestore.StoreChanges) []statestore.Outcome {
				for range random.Intn(6) {
					happen()
				}
				return reconcile.Commit(ctx, parts)
			}
		}
		happen = func() {
			r := s.replicas[random.Intn(len(s.replicas))]
			switch what := random.Intn(16); {
			case what == 0: // a replica observes a changed label of a store
				store := fmt.Sprint("s", random.Intn(stores))
				r.selected[store] = !r.selected[store]
			case what < 3:
				at := random.Intn(stores)
				s.destined = slices.Clone(s.destined)
				s.destined[at] = destinationOn(s.destined[at].Name, []string{"dev", "prod"}[random.Intn(2)])
			case busy[r]:
			case what < 7:
				r.refresh()
			case what < 10:
				r.recordDecisions()
			default:
				busy[r] = true
				r.round()
				busy[r] = false
			}
		}
		for range 60 {
			happen()
			for i := range requests {
				if at := s.storesWith(fmt.Sprint("r", i)); len(at) > 1 {
					t.Fatalf("seed %d: r%d is in %v", seed, i, at)
				}
			}
		}
		for i := range requests {
			placed += len(s.storesWith(fmt.Sprint("r", i)))
		}
	}
	if placed < 50 {
		t.Errorf("%d placements: too few to show anything", placed)
	}
}

func TestMoveBetweenShards(t *testing.T) {
	s := newSharded(t, 2, 2)
	for i, r := range s.replicas {
		r.selected[fmt.Sprint("s", i)] = true
		r.Policy.OnMisplaced = scheduler.Move
	}
	s.destined = []*kratix.Destination{destinationOn("s0", "dev"), destinationOn("s1", "prod")}
	s.request("r")
	turn := func() (at []string) {
		for _, r := range s.replicas {
			r.refresh()
			r.round()
			r.recordDecisions()
		}
		return s.storesWith("r")
	}
	if at := turn(); len(at) != 0 {
		t.Fatalf("it was written to %v before its Work said so", at)
	}
	if at := turn(); !slices.Equal(at, []string{"s0"}) {
		t.Fatalf("it is in %v", at)
	}
	s.destined = []*kratix.Destination{destinationOn("s0", "prod"), destinationOn("s1", "dev")}
	seen := []string{}
	for range 6 {
		at := strings.Join(turn(), "+")
		if at == "" {
			t.Fatal("it is nowhere")
		}
		seen = append(seen, at)
	}
	if seen = slices.Compact(seen); !slices.Equal(seen, []string{"s0", "s0+s1", "s1"}) {
		t.Errorf("it was in %v", seen)
	}
}

func TestInvalidDecisionIsReplaced(t *testing.T) {
	now := metav1.Now()
	leaving := destinationOn("s1", "dev")
	leaving.DeletionTimestamp, leaving.Spec.Cleanup = &now, "all"
	for name, destinations := range map[string][]*kratix.Destination{
		"gone": {destinationOn("s0", "dev")}, "leaving": {destinationOn("s0", "dev"), leaving},
	} {
		s := newSharded(t, 2, 1)
		r := s.replicas[0]
		r.selected["s0"] = true
		s.request("r")
		decided := s.works[0].DeepCopy()
		decided.Annotations = map[string]string{kratix.DecisionsAnnotation: decided.Decide(map[string]kratix.Decision{kratix.GroupID("."): {Destination: "s1"}})}
		s.put(decided)
		s.destined = destinations
		for range 3 {
			r.refresh()
			r.round()
			r.recordDecisions()
		}
		if at := s.storesWith("r"); !slices.Equal(at, []string{"s0"}) {
			t.Errorf("%s: it is in %v", name, at)
		}
	}
}

func TestDecisionsThatCannotBeReadAreReported(t *testing.T) {
	s := newSharded(t, 1, 1)
	s.request("r")
	broken := s.works[0].DeepCopy()
	broken.Annotations = map[string]string{kratix.DecisionsAnnotation: "s0"}
	s.put(broken)
	r := s.replicas[0]
	r.selected["s0"] = true
	r.refresh()
	r.round()
	if f := r.said.Findings; len(f) != 1 || f[0].Rule.ID != "KS046" || !strings.Contains(f[0].Message, kratix.DecisionsAnnotation) {
		t.Errorf("findings %v", f)
	}
	r.recordDecisions()
	r.refresh()
	r.round()
	if at := s.storesWith("r"); len(at) != 1 {
		t.Errorf("it is in %v", at)
	}
}

func TestShardWritesOnlyToSelectedStores(t *testing.T) {
	s := newSharded(t, 3, 2)
	one, other := s.replicas[0], s.replicas[1]
	one.selected["s0"], other.selected["s1"] = true, true
	s.request("everywhere")
	s.works[0].Spec.ResourceName = ""
	one.refresh()
	one.round()
	if at := s.storesWith("everywhere"); !slices.Equal(at, []string{"s0"}) {
		t.Fatalf("it is in %v", at)
	}
	for _, p := range one.said.Placements {
		want, reason := report.Placed, ""
		if p.Destination != "s0" {
			want, reason = report.Pending, "another shard writes to GitStateStore "+p.Destination
		}
		if p.State != want || reason != "" && p.Reason != reason {
			t.Errorf("on %s it is %s: %s", p.Destination, p.State, p.Reason)
		}
	}
	for _, store := range one.said.Stores {
		if store.Unselected == (store.Name == "GitStateStore s0") {
			t.Errorf("%s is unselected: %v", store.Name, store.Unselected)
		}
	}
	other.refresh()
	other.round()
	if at := s.storesWith("everywhere"); !slices.Equal(at, []string{"s0", "s1"}) {
		t.Errorf("it is in %v", at)
	}
	if states := one.said.Counts(); states[report.Pending] != 2 {
		t.Errorf("the first shard says %v", states)
	}
}

func TestStoreWithoutObjectIsSelectedAsOneWithoutLabels(t *testing.T) {
	s := newSharded(t, 1, 1)
	r := s.replicas[0]
	r.selected[""] = true
	s.request("a")
	r.refresh()
	r.sees.GitStateStores = nil
	r.round()
	if len(r.said.Stores) != 1 || r.said.Stores[0].Unselected {
		t.Errorf("stores %+v", r.said.Stores)
	}
}

func TestAssignedWorksNeedNoDecision(t *testing.T) {
	s := newSharded(t, 2, 1)
	r := s.replicas[0]
	r.selected["s1"] = true
	r.Planner = &scheduler.Assigned{To: func(*kratix.Work) string { return "s1" }}
	s.request("a")
	r.refresh()
	r.sees.Assigned = true
	r.round()
	if at := s.storesWith("a"); !slices.Equal(at, []string{"s1"}) {
		t.Errorf("it is in %v", at)
	}
}

type inOneLocation struct {
	*replica
	store statestore.Store
}

func (o inOneLocation) Open(kratix.StateStoreReference, kratix.Object, *kratix.Secret) (statestore.Store, error) {
	return o.store, nil
}

func TestShardsInOneLocationLoseNothing(t *testing.T) {
	s := newSharded(t, 2, 2)
	one, other := s.replicas[0], s.replicas[1]
	one.selected["s0"], other.selected["s1"] = true, true
	location := s.stores["s0"]
	for _, r := range s.replicas {
		r.Stores = inOneLocation{r, location}
	}
	s.request("everywhere")
	s.works[0].Spec.ResourceName = ""
	for _, r := range s.replicas {
		r.refresh()
		for _, store := range r.sees.GitStateStores {
			store.Spec.URL = "https://git.example.com/both"
		}
	}
	tries := 0
	one.Finish = func(ctx context.Context, parts []statestore.StoreChanges) []statestore.Outcome {
		if tries++; tries == 1 {
			other.round()
		}
		return reconcile.Commit(ctx, parts)
	}
	one.round()
	if tries != 2 {
		t.Errorf("the one that was late has tried %d times", tries)
	}
	state, err := location.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for path := range state.Files.Below(tree.Path{}) {
		if strings.HasSuffix(path.String(), "/everywhere.yaml") && !strings.Contains(path.String(), ".kratix/") {
			found = append(found, strings.Split(path.String(), "/")[0])
		}
	}
	if slices.Sort(found); !slices.Equal(found, []string{"s0", "s1"}) {
		t.Errorf("it is in %v", found)
	}
}

func TestStoreThatNoShardWritesToIsReported(t *testing.T) {
	s := newSharded(t, 2, 2)
	r, other := s.replicas[0], s.replicas[1]
	r.selected["s0"] = true
	now := time.Unix(1_000_000, 0)
	r.Now = func() time.Time { return now }
	other.Now = r.Now
	s.request("everywhere")
	s.works[0].Spec.ResourceName = ""
	round := func(after time.Duration) (found []string) {
		now = now.Add(after)
		r.refresh()
		r.round()
		for _, f := range r.said.Findings {
			found = append(found, f.Rule.ID+" "+f.Place.Object+" "+f.Message)
		}
		return found
	}
	if found := slices.Concat(round(0), round(9*time.Minute)); len(found) > 0 {
		t.Errorf("too early: %v", found)
	}
	want := []string{"KS068 GitStateStore s1 1 placement waits for another shard, and none has written there for 10m0s; its labels are name=s1"}
	if found := round(2 * time.Minute); !slices.Equal(found, want) {
		t.Errorf("found %q, want %q", found, want)
	}
	s.request("more")
	s.works[1].Spec.ResourceName, s.works[1].Spec.PromiseName = "", "more"
	other.selected["s1"] = true
	other.refresh()
	other.sees.Works = other.sees.Works[:1]
	other.round()
	if found := round(time.Minute); len(found) > 0 {
		t.Errorf("a shard writes there, if slowly: %v", found)
	}
	if found := round(11 * time.Minute); len(found) != 1 {
		t.Errorf("it stopped: %v", found)
	}
	other.refresh()
	other.round()
	if found := slices.Concat(round(0), round(time.Hour)); len(found) > 0 {
		t.Errorf("all is written: %v", found)
	}
}
