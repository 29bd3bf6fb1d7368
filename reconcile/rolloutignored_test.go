package reconcile

import (
	"context"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// kratixsStore is a store whose files another writer writes.
type kratixsStore struct{ statestore.Store }

func (s kratixsStore) Read(ctx context.Context) (statestore.State, error) {
	state, err := s.Store.Read(ctx)
	state.Stepwise = true
	return state, err
}

func TestRolloutWithoutEffectIsReported(t *testing.T) {
	for mode, prepare := range map[string]func(*rolloutEnv){
		"Kratix places": func(e *rolloutEnv) { e.snapshot.Assigned = true },
		"Kratix writes": func(e *rolloutEnv) { e.store = kratixsStore{e.store} },
	} {
		env := newRolloutEnv(t, "nestedByMetadata")
		env.wants("v1")
		prepare(env)
		said := env.round()
		found := 0
		for _, f := range said.Findings {
			if f.Rule == finding.RolloutIgnored() && f.Place.Object == "Rollout operators" {
				found++
			}
		}
		if found != 1 || len(said.Rollouts) > 0 {
			t.Errorf("%s: %d findings, rollouts %v", mode, found, said.Rollouts)
		}
	}
}
