package worker_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
	"github.com/kratix-schedule/kratix-schedule/statestore/worker"
)

type joint struct {
	together *[]int // the number of parts of each write
}

func (joint) Read(ctx context.Context, view statestore.View) (statestore.State, error) {
	return view.Store.Read(ctx)
}

func (j joint) Write(ctx context.Context, parts []statestore.ViewChanges) []statestore.Outcome {
	first, ok := parts[0].View.Store.(*slow)
	if len(parts) == 1 || !ok {
		return statestore.WriteEach(ctx, parts)
	}
	*j.together = append(*j.together, len(parts))
	var outcomes []statestore.Outcome
	wait := first.wait(ctx)
	for _, part := range parts {
		store, ok := part.View.Store.(*slow)
		if !ok {
			continue
		}
		if err := cmp.Or(wait, store.err); err != nil {
			outcomes = append(outcomes, statestore.Outcome{Err: err})
			continue
		}
		revision, err := store.Store.Apply(ctx, part.Changes)
		outcomes = append(outcomes, statestore.Outcome{Revision: revision, Err: err})
	}
	return outcomes
}

func slowStores(n int) (inner []*slow, stores []statestore.View, together *[]int, workers *worker.Workers) {
	together = new([]int)
	workers = &worker.Workers{Patience: time.Second, FirstPause: time.Second, LongestPause: 10 * time.Second, Wake: func() {}}
	for range n {
		one := &slow{Store: memory.New("m")}
		inner = append(inner, one)
		stores = append(stores, workers.Wrap(statestore.View{Name: "m", Store: one, Location: joint{together}}))
	}
	return inner, stores, together, workers
}

func partsOf(t *testing.T, stores []statestore.View, name string) []statestore.ViewChanges {
	t.Helper()
	var parts []statestore.ViewChanges
	for _, store := range stores {
		state, err := store.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, statestore.ViewChanges{View: store, Changes: change(t, state.Revision, name)})
	}
	return parts
}

func TestWrappedStoresShareALocationIfTheStoresDo(t *testing.T) {
	_, stores, _, workers := slowStores(2)
	alone := workers.Wrap(statestore.ViewOf("alone", memory.New("m")))
	if stores[0].Location != stores[1].Location || stores[0].Location == alone.Location {
		t.Error("wrong ones join")
	}
}

func TestStoresOfOneLocationAreWrittenTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner, stores, together, _ := slowStores(3)
		parts := partsOf(t, stores, "x")
		inner[1].err = errors.New("broken")
		outcomes := stores[0].Location.Write(t.Context(), parts)
		if outcomes[0].Err != nil || !errors.Is(outcomes[1].Err, inner[1].err) || outcomes[2].Err != nil || !slices.Equal(*together, []int{3}) {
			t.Errorf("%v, together %v", outcomes, *together)
		}
		if _, err := stores[1].Read(t.Context()); !errors.Is(err, inner[1].err) { // the store pauses after a failure
			t.Errorf("%v", err)
		}
		storetest.Holds(t, stores[2], map[string]string{"x": "content of x"})
	})
}

func TestSlowJointWriteContinuesInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner, stores, together, _ := slowStores(3)
		parts := partsOf(t, stores, "x")
		inner[0].takes = 5 * time.Second
		began := time.Now()
		for range 2 { // the second time, each store has a write in progress
			for i, outcome := range stores[0].Location.Write(t.Context(), parts) {
				if !errors.Is(outcome.Err, statestore.ErrPending) {
					t.Errorf("store %d: %v", i, outcome.Err)
				}
			}
		}
		if took := time.Since(began); took > 1100*time.Millisecond {
			t.Errorf("patience lasted %s", took)
		}
		storetest.Holds(t, stores[1], map[string]string{"x": "content of x"})
		if state, err := stores[1].Read(t.Context()); err != nil || !state.WriteInProgress {
			t.Errorf("it is not said that this is not so yet: %v", err)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if state, err := stores[1].Read(t.Context()); err != nil || state.WriteInProgress {
			t.Errorf("it is so by now: %v", err)
		}
		for _, one := range inner {
			storetest.Holds(t, one.Store, map[string]string{"x": "content of x"})
		}
		if !slices.Equal(*together, []int{3}) {
			t.Errorf("together %v", *together)
		}
	})
}

func TestOnlyTheStoreWithAWriteInProgressIsPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner, stores, together, _ := slowStores(3)
		parts := partsOf(t, stores, "x")
		inner[1].takes = 5 * time.Second
		if _, err := stores[1].Apply(t.Context(), parts[1].Changes); !errors.Is(err, statestore.ErrPending) {
			t.Fatal(err)
		}
		outcomes := stores[0].Location.Write(t.Context(), parts)
		if outcomes[0].Err != nil || !errors.Is(outcomes[1].Err, statestore.ErrPending) || outcomes[2].Err != nil || !slices.Equal(*together, []int{2}) {
			t.Errorf("%v, together %v", outcomes, *together)
		}
		time.Sleep(5 * time.Second)
	})
}
