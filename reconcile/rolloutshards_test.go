package reconcile_test

import (
	"fmt"
	"maps"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
)

// shardedRollout has a Rollout over the Destinations of several shards: s0 is the first wave, all
// others are the second.
type shardedRollout struct {
	*sharded
	clock time.Time
	// healthy are the reports of agents. Each replica has its own, possibly older copy.
	healthy  map[string]agent.State
	canaries []string
	seen     map[*replica]map[string]agent.State
}

const canaryEnv, othersEnv = "canary", "others"

func newShardedRollout(t *testing.T, stores, replicas int) *shardedRollout {
	r := &shardedRollout{sharded: newSharded(t, stores, replicas), clock: time.Unix(1_000_000, 0).UTC(), healthy: map[string]agent.State{}, seen: map[*replica]map[string]agent.State{}}
	for i := range r.destined {
		r.destined[i] = destinationOn(r.destined[i].Name, othersEnv)
	}
	r.isCanary("s0")
	for at, each := range r.replicas {
		for i := at; i < stores; i += replicas {
			each.selected[fmt.Sprint("s", i)] = true
		}
		each.Now = func() time.Time { return r.clock }
		each.Agents = func() reconcile.AgentStates { return r.statesOf(each) }
	}
	r.wants("v0")
	for _, each := range r.replicas {
		each.refresh()
		each.round()
	}
	rollout := &kratix.Rollout{}
	rollout.Name = "operators"
	rollout.Spec.Waves = []kratix.RolloutWave{
		{Name: "canary", Destinations: &metav1.LabelSelector{MatchLabels: map[string]string{"env": canaryEnv}}, Gate: "healthy", Deadline: "10h"},
		{Name: "others", Gate: "healthy", MaxConcurrent: "1", Deadline: "10h"},
	}
	r.rollouts = []*kratix.Rollout{rollout}
	return r
}

// isCanary puts a Destination into the first wave.
func (r *shardedRollout) isCanary(name string) {
	at := slices.IndexFunc(r.destined, func(d *kratix.Destination) bool { return d.Name == name })
	r.destined[at] = destinationOn(name, canaryEnv)
	r.canaries = append(r.canaries, name)
}

func (r *shardedRollout) wants(content string) {
	w := testkit.Request("operator", testkit.WithFile("operator.yaml", testkit.ConfigMaps(content)))
	w.Spec.ResourceName = ""
	w.UID = "uid-operator"
	r.put(w)
}

func (r *shardedRollout) statesOf(of *replica) reconcile.AgentStates {
	states := reconcile.AgentStates{}
	for name, state := range r.seen[of] {
		states[name] = map[string]agent.State{agent.Dependencies: state}
	}
	return states
}

// has reports whether a store has a content.
func (r *shardedRollout) has(name, content string) bool {
	r.t.Helper()
	state, err := r.stores[name].Read(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	for path := range state.Files.Below(tree.Path{}) {
		if !strings.HasSuffix(path.String(), "/operator.yaml") || strings.Contains(path.String(), ".kratix") {
			continue
		}
		text, err := state.Contents.Content(r.t.Context(), path)
		if err != nil {
			r.t.Fatal(err)
		}
		return strings.Contains(string(text), "name: "+content+"\n")
	}
	return false
}

// reports lets the agent of a Destination report its present files as healthy.
func (r *shardedRollout) reports(name string) {
	state, err := r.stores[name].Read(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	mark := agent.Mark{Revision: string(state.Revision), Time: r.clock}
	r.healthy[name] = agent.State{Applied: mark, Healthy: mark, Latest: r.clock}
}

func (r *shardedRollout) isHealthy(name string) bool {
	state, err := r.stores[name].Read(r.t.Context())
	return err == nil && r.healthy[name].Healthy.Revision == string(state.Revision)
}

func TestWavesKeepTheirOrderInSeveralShards(t *testing.T) {
	const stores = 5
	for seed := range int64(30) {
		random := rand.New(rand.NewSource(seed))
		r := newShardedRollout(t, stores, 2)
		for _, name := range []string{"s1", "s2"}[:random.Intn(3)] {
			r.isCanary(name)
		}
		r.wants("v1")
		isDone := func() bool {
			for name := range r.stores {
				if !r.has(name, "v1") {
					return false
				}
			}
			return true
		}
		steps := 0
		for ; !isDone() && steps < 1000; steps++ {
			r.clock = r.clock.Add(time.Second)
			each := r.replicas[random.Intn(len(r.replicas))]
			switch random.Intn(4) {
			case 0:
				name := fmt.Sprint("s", random.Intn(stores))
				r.reports(name)
			case 1:
				r.seen[each] = maps.Clone(r.healthy)
			case 2:
				each.refresh()
			default:
				each.during(func() {
					if random.Intn(2) == 0 {
						r.clock = r.clock.Add(time.Second)
						r.other(each).round()
					}
				})
			}
			r.check(seed)
		}
		if !isDone() {
			t.Errorf("seed %d: not complete after %d steps", seed, steps)
		}
	}
}

func (r *shardedRollout) other(than *replica) *replica {
	at := slices.Index(r.replicas, than)
	return r.replicas[(at+1)%len(r.replicas)]
}

func (r *shardedRollout) check(seed int64) {
	r.t.Helper()
	var inFlight []string
	for name := range r.stores {
		if slices.Contains(r.canaries, name) || !r.has(name, "v1") {
			continue
		}
		for _, canary := range r.canaries {
			if !r.has(canary, "v1") || !r.isHealthy(canary) {
				r.t.Fatalf("seed %d: %s has the new content before %s of the first wave is healthy", seed, name, canary)
			}
		}
		if !r.isHealthy(name) {
			inFlight = append(inFlight, name)
		}
	}
	if len(inFlight) > 1 {
		slices.Sort(inFlight)
		r.t.Fatalf("seed %d: %v are in flight, 1 may be", seed, inFlight)
	}
}
