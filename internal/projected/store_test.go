package projected_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/projected"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

type flaky struct {
	statestore.Store
	fails bool
}

func (f *flaky) Read(ctx context.Context) (statestore.State, error) {
	state, err := f.Store.Read(ctx)
	state.Contents = flakyContents{state.Contents, f}
	return state, err
}

type flakyContents struct {
	statestore.Contents
	of *flaky
}

func (f flakyContents) Content(ctx context.Context, p tree.Path) ([]byte, error) {
	if f.of.fails && strings.Contains(p.String(), ".kratix/") {
		return nil, errors.New("the connection was reset")
	}
	return f.Contents.Content(ctx, p)
}

type opener struct {
	store statestore.Store
	err   error
}

func (o *opener) Open(kratix.StateStoreReference, kratix.Object, *kratix.Secret) (statestore.Store, error) {
	return o.store, o.err
}

func TestReadThatFailsHalfWayChangesNothing(t *testing.T) {
	c := newCluster(t, kratix.None, false)
	c.put("a", "worker-1", "o1")
	c.put("b", "worker-2", "o2")
	random := rand.New(rand.NewPCG(1, 1))
	c.runUntilIdle(random)
	store := &flaky{Store: c.store}
	stores := &projected.Stores{Opener: &opener{store: store}, Now: func() time.Time { return c.now }}
	ref := kratix.StateStoreReference{Kind: kratix.GitStateStoreKind, Name: "default"}
	read := func() (string, error) {
		snapshot, _ := c.Snapshot(t.Context())
		stores.Follow(snapshot)
		opened, err := stores.Open(ref, snapshot.GitStateStores[0], nil)
		if err != nil {
			t.Fatal(err)
		}
		state, err := opened.Read(t.Context())
		var paths []string
		for path := range state.Files.All() {
			if !strings.Contains(path.String(), ".kratix") {
				paths = append(paths, path.String())
			}
		}
		return strings.Join(paths, " "), err
	}
	const both = "worker-1/a-o1.yaml worker-2/b-o2.yaml"
	if got, err := read(); err != nil || got != both {
		t.Fatalf("%q, %v, want %q", got, err, both)
	}
	c.delete("a")
	for len(c.dirty) > 0 {
		c.kratixWrites(random)
	}
	for key := range c.placements {
		c.change(key, func(p *kratix.WorkPlacement) { p.Annotations = map[string]string{"a": "b"} }) // the next Read must read the list again
	}
	store.fails = true
	if _, err := read(); err == nil {
		t.Fatal("the list of b was not read")
	}
	store.fails = false
	if got, err := read(); err != nil || got != "worker-2/b-o2.yaml" {
		t.Errorf("%q, %v, want the file of b alone", got, err)
	}
}

func TestStoreThatCannotBeOpenedIsAnError(t *testing.T) {
	c := newCluster(t, kratix.NestedByMetadata, false)
	closed := &opener{err: errors.New("there is no Secret")}
	c.reconciler.Stores = &projected.Stores{Opener: closed, Now: func() time.Time { return c.now }}
	c.put("a", "worker-1", "o1")
	c.round()
	if len(c.placements) > 0 {
		t.Errorf("%d WorkPlacements are made", len(c.placements))
	}
	closed.store, closed.err = c.store, nil
	c.round()
	if len(c.placements) != 1 {
		t.Errorf("%d WorkPlacements are made, want one", len(c.placements))
	}
}

func TestFilesOfAWorkPlacementWithoutARecordCount(t *testing.T) {
	c := newCluster(t, kratix.NestedByMetadata, false)
	c.put("a", "worker-1", "o1")
	c.round()
	for key, p := range c.placements {
		odd := p.DeepCopy()
		odd.Name, odd.Labels, odd.OwnerReferences = "by-hand", nil, []metav1.OwnerReference{}
		odd.Spec.ResourceName = "by-hand"
		delete(c.placements, key)
		c.placements[kratix.KeyOf(odd)] = odd
	}
	delete(c.works, "a")
	c.put("b", "worker-1", "o1")
	said := c.round()
	if len(c.placements) != 1 || len(said.Placements) != 1 || said.Placements[0].State != "held back" {
		t.Errorf("%d WorkPlacements, %+v; want b held back", len(c.placements), said.Placements)
	}
}
