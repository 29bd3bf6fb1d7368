package reconcile

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
)

// TestRevisionsThatAgentsHaveAppliedAreInUse checks that each store gets the revisions of its own
// Destinations, which it must not delete.
func TestRevisionsThatAgentsHaveAppliedAreInUse(t *testing.T) {
	env := newAgentEnv(t)
	env.snapshot.Destinations = []*kratix.Destination{testkit.Destination("worker-1"), testkit.Destination("worker-2", testkit.OnStore("other"))}
	env.snapshot.GitStateStores = append(env.snapshot.GitStateStores, testkit.GitStore("other", "memory"))
	stores := map[string]statestore.Store{"default": env.store, "other": memory.New("GitStateStore other")}
	env.open = func(ref kratix.StateStoreReference) statestore.Store { return stores[ref.Name] }
	inUse := map[statestore.Store][]statestore.Revision{}
	env.finish = func(ctx context.Context, parts []statestore.StoreChanges) []statestore.Outcome {
		for _, part := range parts {
			if !part.Changes.Empty() {
				inUse[part.Store] = part.Changes.InUse
			}
		}
		return Commit(ctx, parts)
	}
	changeAll := func(content string) {
		for _, name := range []string{"a", "b"} {
			work := env.put(name, name+content)
			testkit.WithSelector(map[string]string{"on": name})(work)
		}
		env.round()
	}
	env.snapshot.Destinations[0].Labels = map[string]string{"on": "a"}
	env.snapshot.Destinations[1].Labels = map[string]string{"on": "b"}
	changeAll("1")
	if len(inUse) != 2 || len(inUse[stores["default"]])+len(inUse[stores["other"]]) > 0 {
		t.Fatalf("before any report, %v are in use", inUse)
	}
	for i, destination := range []string{"worker-1", "worker-2"} {
		var state agent.State
		for j, outcome := range []agent.Outcome{agent.Healthy, agent.Applied, agent.ApplyFailed} {
			state, _ = state.With(agent.Event{Revision: destination + string(rune('1'+j)), Outcome: outcome, Time: env.clock.Add(time.Duration(i+j) * time.Second)})
		}
		env.states[destination] = map[string]agent.State{"resources": state}
	}
	changeAll("2")
	for name, want := range map[string][]statestore.Revision{"default": {"worker-12", "worker-11"}, "other": {"worker-22", "worker-21"}} {
		if got := inUse[stores[name]]; !slices.Equal(got, want) {
			t.Errorf("in store %s, %v are in use, want %v", name, got, want)
		}
	}
}
