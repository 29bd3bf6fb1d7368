package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
)

// registryEnv has an OCIStateStore with a repository for each directory, besides the git store.
type registryEnv struct {
	*testEnv
	repositories map[string]statestore.Store
}

func newRegistryEnv(t *testing.T) *registryEnv {
	e := &registryEnv{newEnv(t), map[string]statestore.Store{}}
	registry := &kratix.OCIStateStore{Spec: kratix.OCIStateStoreSpec{URL: "oci://registry.example.com/fleet"}}
	registry.Name = "fleet"
	e.snapshot.OCIStateStores = append(e.snapshot.OCIStateStores, registry)
	e.open = func(ref kratix.StateStoreReference) statestore.Store {
		if ref.Kind != kratix.OCIStateStoreKind {
			return e.store
		}
		if e.repositories[ref.Dir] == nil {
			e.repositories[ref.Dir] = memory.New(ref.String())
		}
		return e.repositories[ref.Dir]
	}
	return e
}

func (e *registryEnv) moveTo(kind, name string) {
	e.replace("worker-1", func(d *kratix.Destination) {
		ref := kratix.StateStoreReference{Kind: kind, Name: name}.For(d)
		d.Spec.StateStoreRef = &ref
	})
}

func TestDestinationThatLeavesARegistryIsReportedAndCleanedUp(t *testing.T) {
	e := newRegistryEnv(t)
	e.moveTo(kratix.OCIStateStoreKind, "fleet")
	e.put("a", "a")
	e.settle()
	if files := e.repositories["worker-1"]; len(e.repositories) != 1 || len(pathsIn(t, files)) == 0 {
		t.Fatalf("the repositories are %v", e.repositories)
	}
	e.moveTo(kratix.GitStateStoreKind, "default")
	r := e.settle()
	if !slices.Equal(rules(r), []string{"KS050"}) || !strings.Contains(r.Findings[0].Message, "OCIStateStore fleet/worker-1") {
		t.Errorf("findings %v", r.Findings)
	}
	if on := e.placedOn(); !slices.Equal(on["a"], []string{"worker-1"}) {
		t.Errorf("placed %v", on)
	}
	left, failed, err := e.reconciler.Cleanup(t.Context(), "worker-1")
	if err != nil || len(failed) > 0 || len(left) != 1 || left[0].Err != nil {
		t.Fatalf("%+v, %v, %v", left, failed, err)
	}
	if files := pathsIn(t, e.repositories["worker-1"]); len(files) > 0 {
		t.Errorf("the repository still has %v", files)
	}
	if r := e.settle(); len(r.Findings) > 0 || !slices.Equal(e.placedOn()["a"], []string{"worker-1"}) {
		t.Errorf("findings %v, placed %v", r.Findings, e.placedOn())
	}
}

func pathsIn(t *testing.T, store statestore.Store) []string {
	t.Helper()
	state, err := store.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for path := range state.Files.All() {
		paths = append(paths, path.String())
	}
	return paths
}

func TestFormerRepositoriesAreBounded(t *testing.T) {
	e := newRegistryEnv(t)
	e.addDestination("upper", "Not-A-Name")
	for i := range maxFormerRepositories {
		e.addDestination(fmt.Sprint("d", i), fmt.Sprint("d", i))
	}
	e.round()
	if len(e.repositories) != maxFormerRepositories {
		t.Errorf("%d repositories are read", len(e.repositories))
	}
	if e.repositories["Not-A-Name"] != nil {
		t.Error("a repository is opened whose name no registry accepts")
	}
}

type deniedReads struct{ statestore.Store }

func (deniedReads) Read(context.Context) (statestore.State, error) {
	return statestore.State{}, &statestore.Error{Op: "read", Store: "OCIStateStore fleet", Err: statestore.ErrDenied}
}

func TestUnreadableRegistryIsReportedOnce(t *testing.T) {
	e := newRegistryEnv(t)
	open := e.open
	e.open = func(ref kratix.StateStoreReference) statestore.Store {
		if ref.Kind == kratix.OCIStateStoreKind {
			return deniedReads{memory.New(ref.String())}
		}
		return open(ref)
	}
	e.addDestination("worker-2", "worker-2")
	e.put("a", "a")
	count := 0
	for _, f := range e.round().Findings {
		if f.Rule == finding.DoubtfulStore() {
			count++
		}
	}
	if count != 1 {
		t.Errorf("%d findings", count)
	}
}
