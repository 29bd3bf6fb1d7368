package throttle_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
	"github.com/kratix-schedule/kratix-schedule/statestore/throttle"
	"github.com/kratix-schedule/kratix-schedule/statestore/worker"
)

// registry has a repository for each Destination, and records their reads and writes.
type registry struct {
	*throttle.Throttle
	spec   *kratix.OCIStateStore
	stores map[string]*repository

	mu     sync.Mutex
	writes []time.Time
	reads  int
}

func (r *registry) written() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.writes)
}

type repository struct {
	*memory.Store
	registry *registry
}

func (r *repository) Read(ctx context.Context) (statestore.State, error) {
	r.registry.mu.Lock()
	r.registry.reads++
	r.registry.mu.Unlock()
	return r.Store.Read(ctx)
}

func (r *repository) Apply(ctx context.Context, changes statestore.ChangeSet) (statestore.Revision, error) {
	r.registry.mu.Lock()
	r.registry.writes = append(r.registry.writes, time.Now())
	r.registry.mu.Unlock()
	return r.Store.Apply(ctx, changes)
}

// repositories is the Opener below Throttle.Spread.
type repositories struct{ *registry }

func (r repositories) Open(ref kratix.StateStoreReference, _ kratix.Object, _ *kratix.Secret) (statestore.Store, error) {
	if r.stores[ref.Dir] == nil {
		r.stores[ref.Dir] = &repository{memory.New(ref.String()), r.registry}
	}
	return statestore.ViewOf(ref.String(), r.stores[ref.Dir]), nil
}

// workers opens stores with a worker each.
type workers struct {
	statestore.Opener
	*worker.Workers
}

func (w workers) Open(ref kratix.StateStoreReference, spec kratix.Object, secret *kratix.Secret) (statestore.Store, error) {
	store, err := w.Opener.Open(ref, spec, secret)
	return w.Wrap(statestore.ViewOf(ref.String(), store)), err
}

func newRegistry(annotations map[string]string) *registry {
	r := &registry{spec: &kratix.OCIStateStore{}, stores: map[string]*repository{}}
	r.spec.Name, r.spec.Spec.URL, r.spec.Annotations = "fleet", "oci://registry.example.com/fleet", annotations
	r.Throttle = &throttle.Throttle{PerMinute: 6, Now: time.Now, Wake: func() {}}
	r.Opener = workers{r.Spread(repositories{r}), &worker.Workers{Patience: time.Second, LongestPatience: time.Second, FirstPause: time.Second, LongestPause: time.Minute, Wake: func() {}}}
	return r
}

func (r *registry) open(t *testing.T, destination int) statestore.Store {
	t.Helper()
	ref := kratix.StateStoreReference{Kind: kratix.OCIStateStoreKind, Name: "fleet", Dir: fmt.Sprint("worker-", destination)}
	store, err := r.Throttle.Open(ref, r.spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// round changes a file of each of n Destinations, and returns how many changes wait.
func (r *registry) round(t *testing.T, n int) int {
	t.Helper()
	r.Begin()
	var parts []statestore.StoreChanges
	for i := range n {
		store := r.open(t, i)
		state := storetest.Read(t, store)
		if state.WriteInProgress {
			continue
		}
		parts = append(parts, statestore.StoreChanges{Store: store, Changes: statestore.ChangeSet{
			Base: state.Revision, Write: testkit.Files(map[string]string{"a": time.Now().String()}), Placements: make([]statestore.PlacementChange, 1),
		}})
	}
	waiting := 0
	for _, outcome := range statestore.Commit(t.Context(), parts) {
		switch {
		case errors.Is(outcome.Err, statestore.ErrThrottled):
			waiting++
		case outcome.Err != nil && !errors.Is(outcome.Err, statestore.ErrPending):
			t.Error(outcome.Err)
		}
	}
	return waiting
}

// mostInASecond returns the largest number of writes within a second.
func (r *registry) mostInASecond() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	most, first := 0, 0
	for i, at := range r.writes {
		for at.Sub(r.writes[first]) >= time.Second {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

func TestArtifactsAreSpreadOverTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRegistry(nil)
		if waiting := r.round(t, 100); waiting < 40 || waiting > 50 {
			t.Errorf("%d changes wait", waiting)
		}
		for range 20 {
			time.Sleep(3 * time.Second)
			r.round(t, 100)
		}
		time.Sleep(15 * time.Second)
		if most := r.mostInASecond(); most > 10 {
			t.Errorf("%d artifacts in a second", most)
		}
		if n := len(r.writes); n < 440 || n > 460 {
			t.Errorf("%d artifacts in %s", n, r.writes[n-1].Sub(r.writes[0]))
		}
	})
}

func TestFewChangesToARegistryDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRegistry(nil)
		r.open(t, 0)
		time.Sleep(time.Second)
		begun := time.Now()
		if waiting := r.round(t, 5); waiting > 0 || r.written() != 5 || time.Since(begun) > 0 {
			t.Errorf("%d changes wait, %d are written after %s", waiting, r.written(), time.Since(begun))
		}
	})
}

func TestLimitOfARegistryCanBeChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for limit, want := range map[string]int{"0": 100, "60": 11, "6000": 100} {
			r := newRegistry(map[string]string{kratix.CommitsPerMinuteAnnotation: limit})
			waiting := r.round(t, 100)
			time.Sleep(time.Minute)
			if written := r.written(); written != want || waiting != 100-want {
				t.Errorf("%s: %d are written, %d wait", limit, written, waiting)
			}
		}
		r := newRegistry(nil)
		r.PerMinute = 0
		if waiting := r.round(t, 100); waiting > 0 || r.written() < 100 {
			t.Errorf("without any limit, %d are written", r.written())
		}
	})
}

func TestRepositoriesAreReadAsOftenAsTheLimitPermits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRegistry(nil)
		for range 100 {
			r.Begin()
			for i := range 50 {
				storetest.Read(t, r.open(t, i))
			}
			time.Sleep(time.Second)
		}
		if r.reads != 50*10 {
			t.Errorf("%d reads in 100 s", r.reads)
		}
		r.Refresh()
		if storetest.Read(t, r.open(t, 0)); r.reads != 50*10+1 {
			t.Error("Refresh has no effect")
		}
	})
}

func TestCommitWhoseTurnDoesNotComeEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRegistry(nil)
		r.Opener = r.Spread(repositories{r})
		stores := make([]statestore.Store, 7)
		for i := range stores {
			stores[i] = r.open(t, i)
		}
		time.Sleep(time.Second)
		var writes sync.WaitGroup
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		failed := make([]error, len(stores))
		for i := range stores {
			writes.Go(func() {
				_, failed[i] = stores[i].Apply(ctx, statestore.ChangeSet{Write: testkit.Files(map[string]string{"a": "1"})})
			})
		}
		writes.Wait()
		var ended []error
		for _, err := range failed {
			if err != nil {
				ended = append(ended, err)
			}
		}
		if len(ended) != 1 || !errors.Is(ended[0], context.DeadlineExceeded) || !statestore.IsTemporary(ended[0]) || len(r.writes) != 6 {
			t.Errorf("%d are written, errors %v", len(r.writes), ended)
		}
	})
}
