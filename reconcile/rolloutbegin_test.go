package reconcile_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
)

// during runs other after a replica has planned its next round, and before it writes.
func (r *replica) during(other func()) {
	r.cluster.t.Helper()
	r.Observe = func(ctx context.Context, stage string) (context.Context, func(error)) {
		if stage == reconcile.StageFinish {
			r.Observe = nil
			other()
		}
		return ctx, func(error) {}
	}
	r.round()
}

// Each shard has a Destination of the first wave. Both shards plan before they see a record of the
// new content.
func TestWavesKeepTheirOrderIfShardsBeginAtOnce(t *testing.T) {
	for begins := range 2 {
		r := newShardedRollout(t, 4, 2)
		r.isCanary("s1")
		r.wants("v1")
		for _, each := range r.replicas {
			each.refresh()
		}
		r.replicas[begins].during(func() {
			r.clock = r.clock.Add(time.Second)
			r.replicas[1-begins].round()
		})
		for range 3 {
			r.clock = r.clock.Add(time.Second)
			for _, each := range r.replicas {
				each.round()
			}
		}
		if !r.has("s0", "v1") || !r.has("s1", "v1") {
			t.Fatalf("%d: the first wave is not written", begins)
		}
		for _, name := range []string{"s0", "s1"} {
			if r.has("s2", "v1") || r.has("s3", "v1") {
				t.Errorf("%d: the second wave is written before %s is healthy", begins, name)
			}
			r.reports(name)
			for _, each := range r.replicas {
				r.seen[each] = maps.Clone(r.healthy)
				each.round()
			}
		}
		if !r.has("s2", "v1") {
			t.Errorf("%d: the second wave is not written", begins)
		}
	}
}

// The shard of the first wave runs several rounds before the shard of the last wave has restored
// anything.
func TestLastWaveIsRolledBackFirstInSeveralShards(t *testing.T) {
	r := newShardedRollout(t, 2, 2)
	r.rollouts[0].Spec.Waves[0].Gate, r.rollouts[0].Spec.Waves[1].Gate = "", "applied"
	r.rollouts[0].Spec.OnFailure = "rollback"
	r.wants("v1")
	for range 3 {
		r.clock = r.clock.Add(time.Second)
		for _, each := range r.replicas {
			each.refresh()
			each.round()
		}
	}
	if !r.has("s0", "v1") || !r.has("s1", "v1") {
		t.Fatal("not both waves are written")
	}
	state, err := r.stores["s1"].Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	failed := agent.State{Latest: r.clock, Failure: &agent.Failure{Revision: string(state.Revision), Outcome: agent.ApplyFailed, Message: "no", Since: r.clock}}
	for _, each := range r.replicas {
		r.seen[each] = map[string]agent.State{"s1": failed}
	}
	for range 3 {
		r.clock = r.clock.Add(time.Second)
		r.replicas[0].round()
	}
	if !r.has("s0", "v1") {
		t.Fatal("the first wave is restored before the last one")
	}
	r.replicas[1].round()
	if !r.has("s1", "v0") {
		t.Fatal("the last wave is not restored")
	}
	r.replicas[0].round()
	if !r.has("s0", "v0") {
		t.Error("the first wave is not restored")
	}
}
