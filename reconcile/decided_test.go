package reconcile_test

import (
	"context"
	"fmt"
	"math/rand"
	"slices"
	"strconv"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/status"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
)

// shared is a cluster with several stores, each with one Destination of its name,
// and the replicas that share them.
type shared struct {
	t        testing.TB
	stores   map[string]statestore.Store
	works    []*kratix.Work
	destined []*kratix.Destination
	replicas []*replica
	version  int
}

// replica sees the cluster as it was when it looked last.
type replica struct {
	*reconcile.Reconciler
	cluster *shared
	sees    source.Snapshot
	said    report.Report
	// mine are the places that it takes for its own.
	mine map[string]bool
}

func newShared(t testing.TB, stores, replicas int) *shared {
	s := &shared{t: t, stores: map[string]statestore.Store{}}
	for i := range stores {
		name := fmt.Sprint("s", i)
		s.stores[name] = memory.New(name)
		s.destined = append(s.destined, destinationOn(name, "dev"))
	}
	for range replicas {
		r := &replica{cluster: s, mine: map[string]bool{}}
		r.Reconciler = &reconcile.Reconciler{Source: r, Stores: r, Finish: reconcile.Commit, Mine: func(place string) bool { return r.mine[place] }}
		s.replicas = append(s.replicas, r)
		r.look()
	}
	return s
}

func destinationOn(name, env string) *kratix.Destination {
	d := &kratix.Destination{}
	d.Name, d.Spec.Path, d.Labels = name, name, map[string]string{"env": env}
	d.Spec.StateStoreRef = &kratix.StateStoreReference{Kind: kratix.GitStateStoreKind, Name: name}
	return d
}

// request adds a Work.
func (s *shared) request(name string) {
	w := kratix.NewWork()
	w.Name, w.Namespace, w.UID = name, "default", types.UID("uid-"+name)
	w.Spec.PromiseName, w.Spec.ResourceName = "redis", name
	content := "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + name + "\n"
	w.Spec.WorkloadGroups = []kratix.WorkloadGroup{{
		ID: kratix.GroupID("."), Directory: ".", Workloads: []kratix.Workload{{Filepath: name + ".yaml", Content: kratix.Encode([]byte(content))}},
		DestinationSelectors: []kratix.Selector{{Source: "promise", MatchLabels: map[string]string{"env": "dev"}}},
	}}
	s.put(w)
}

// put stores a Work anew; objects are never changed in place.
func (s *shared) put(w *kratix.Work) {
	s.version++
	w.ResourceVersion = strconv.Itoa(s.version)
	s.works = append(slices.DeleteFunc(slices.Clone(s.works), func(o *kratix.Work) bool { return o.Name == w.Name }), w)
}

// look has a replica see the cluster as it is.
func (r *replica) look() {
	r.sees = source.Snapshot{Works: slices.Clone(r.cluster.works), Destinations: slices.Clone(r.cluster.destined)}
	for _, d := range r.cluster.destined {
		store := &kratix.GitStateStore{}
		store.Name, store.Spec.URL = d.Name, "https://git.example.com/"+d.Name
		r.sees.GitStateStores = append(r.sees.GitStateStores, store)
	}
	slices.SortFunc(r.sees.Works, source.Compare)
}

func (r *replica) Snapshot(context.Context) (source.Snapshot, error) { return r.sees, nil }

func (r *replica) Changes(context.Context) (<-chan struct{}, error) { return nil, nil }

func (r *replica) Open(ref kratix.StateStoreReference, _ kratix.Object, _ *kratix.Secret) (statestore.Store, error) {
	return r.cluster.stores[ref.Name], nil
}

// round does a round with what the replica sees.
func (r *replica) round() {
	r.cluster.t.Helper()
	said, err := r.Round(r.cluster.t.Context())
	if err != nil {
		r.cluster.t.Fatal(err)
	}
	r.said = said
}

// tell passes on what the last round chose, as the API takes it: each Work only as
// it is now.
func (r *replica) tell() {
	seen := status.Objects{Works: r.sees.Works, Destinations: r.sees.Destinations, GitStateStores: r.sees.GitStateStores}
	for _, change := range slices.Concat(status.Plan(r.said, seen, status.Manage, r.Mine, metav1.Time{})...) {
		for _, step := range change.Steps {
			metadata, _ := step.Patch["metadata"].(map[string]any)
			annotations, decides := metadata["annotations"].(map[string]any)
			if step.Verb != status.Patch || !decides {
				continue
			}
			at := slices.IndexFunc(r.cluster.works, func(w *kratix.Work) bool { return w.Name == change.Object.GetName() })
			if old, _ := change.Object.(*kratix.Work); at < 0 || r.cluster.works[at].ResourceVersion != old.ResourceVersion {
				continue // the API refuses it
			}
			made := r.cluster.works[at].DeepCopy()
			made.Annotations = map[string]string{kratix.DecisionsAnnotation: fmt.Sprint(annotations[kratix.DecisionsAnnotation])}
			r.cluster.put(made)
		}
	}
}

// where returns the stores that have a request's file.
func (s *shared) where(request string) []string {
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

// TestARequestIsInOneStoreWhateverReplicasThink has replicas with outdated views of
// Works, of Destinations and of whose a store is, which get in between each
// other's reading and writing.
func TestARequestIsInOneStoreWhateverReplicasThink(t *testing.T) {
	const requests, stores = 3, 2
	placed := 0
	for seed := range int64(40) {
		random := rand.New(rand.NewSource(seed))
		s := newShared(t, stores, 2)
		for i := range requests {
			s.request(fmt.Sprint("r", i))
		}
		busy := map[*replica]bool{}
		var happen func()
		for _, r := range s.replicas {
			for i := range stores {
				r.mine[fmt.Sprintf("git.example.com/s%d#main", i)] = random.Intn(2) == 0
			}
			r.Finish = func(ctx context.Context, parts []statestore.Part) []statestore.Outcome {
				for range random.Intn(6) {
					happen()
				}
				return reconcile.Commit(ctx, parts)
			}
		}
		happen = func() {
			r := s.replicas[random.Intn(len(s.replicas))]
			switch what := random.Intn(16); {
			case what == 0: // it gets a store or loses one; another may think the same
				place := fmt.Sprintf("git.example.com/s%d#main", random.Intn(stores))
				r.mine[place] = !r.mine[place]
			case what < 3:
				at := random.Intn(stores)
				s.destined = slices.Clone(s.destined)
				s.destined[at] = destinationOn(s.destined[at].Name, []string{"dev", "prod"}[random.Intn(2)])
			case busy[r]: // one thing at a time
			case what < 7:
				r.look()
			case what < 10:
				r.tell()
			default:
				busy[r] = true
				r.round()
				busy[r] = false
			}
		}
		for range 60 {
			happen()
			for i := range requests {
				if at := s.where(fmt.Sprint("r", i)); len(at) > 1 {
					t.Fatalf("seed %d: r%d is in %v", seed, i, at)
				}
			}
		}
		for i := range requests {
			placed += len(s.where(fmt.Sprint("r", i)))
		}
	}
	if placed < 50 {
		t.Errorf("%d placements: too few to show anything", placed)
	}
}

// TestAMoveBetweenReplicas: the old placement goes once the new one is recorded,
// though each is another's.
func TestAMoveBetweenReplicas(t *testing.T) {
	s := newShared(t, 2, 2)
	for i, r := range s.replicas {
		r.mine[fmt.Sprintf("git.example.com/s%d#main", i)] = true
		r.Policy.OnMisplaced = scheduler.Move
	}
	s.destined = []*kratix.Destination{destinationOn("s0", "dev"), destinationOn("s1", "prod")}
	s.request("r")
	turn := func() (at []string) {
		for _, r := range s.replicas {
			r.look()
			r.round()
			r.tell()
		}
		return s.where("r")
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

// TestADecisionThatCannotHoldIsMadeAnew: of a Destination that is no more, and of
// one that takes its files along.
func TestADecisionThatCannotHoldIsMadeAnew(t *testing.T) {
	now := metav1.Now()
	leaving := destinationOn("s1", "dev")
	leaving.DeletionTimestamp, leaving.Spec.Cleanup = &now, "all"
	for name, destinations := range map[string][]*kratix.Destination{
		"gone": {destinationOn("s0", "dev")}, "leaving": {destinationOn("s0", "dev"), leaving},
	} {
		s := newShared(t, 2, 1)
		r := s.replicas[0]
		r.mine["git.example.com/s0#main"] = true
		s.request("r")
		decided := s.works[0].DeepCopy()
		decided.Annotations = map[string]string{kratix.DecisionsAnnotation: decided.Decide(map[string]kratix.Decision{kratix.GroupID("."): {Destination: "s1"}})}
		s.put(decided)
		s.destined = destinations
		for range 3 {
			r.look()
			r.round()
			r.tell()
		}
		if at := s.where("r"); !slices.Equal(at, []string{"s0"}) {
			t.Errorf("%s: it is in %v", name, at)
		}
	}
}

func TestDecisionsThatCannotBeReadAreTold(t *testing.T) {
	s := newShared(t, 1, 1)
	s.request("r")
	broken := s.works[0].DeepCopy()
	broken.Annotations = map[string]string{kratix.DecisionsAnnotation: "s0"}
	s.put(broken)
	r := s.replicas[0]
	r.mine["git.example.com/s0#main"] = true
	r.look()
	r.round()
	if f := r.said.Findings; len(f) != 1 || f[0].Rule.ID != "KS046" || !strings.Contains(f[0].Message, kratix.DecisionsAnnotation) {
		t.Errorf("findings %v", f)
	}
	r.tell()
	r.look()
	r.round()
	if at := s.where("r"); len(at) != 1 {
		t.Errorf("it is in %v", at)
	}
}
