package flux

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
	"github.com/kratix-schedule/kratix-schedule/tree"
)

// input is some of the tutorial's files, for a source that never changes by
// itself.
type input struct{ names []string }

func (in *input) Snapshot(context.Context) (source.Snapshot, error) {
	var files []source.File
	for _, name := range in.names {
		content, err := os.ReadFile(filepath.Join("..", "..", "testdata", "elastic-cloud", name))
		if err != nil {
			return source.Snapshot{}, err
		}
		files = append(files, source.File{Name: name, Content: content})
	}
	return source.Collect(files), nil
}

func (*input) Changes(context.Context) (<-chan struct{}, error) { return nil, nil }

// oneStore opens the same store whatever is asked for.
type oneStore struct{ statestore.Store }

func (s oneStore) Open(kratix.StateStoreReference, kratix.Object, *kratix.Secret) (statestore.Store, error) {
	return s.Store, nil
}

// TestFluxBuildsBothRootsOfSharedRequests lets the tutorial's requests come and
// go with --on-conflict share, and has Flux itself build both roots each time.
func TestFluxBuildsBothRootsOfSharedRequests(t *testing.T) {
	always := []string{"destination.yaml", "state-store.yaml"}
	store := memory.New("store")
	disk := Disk{t.TempDir()}
	for _, step := range []struct {
		requests []string
		// definitions is how many CustomResourceDefinitions Flux applies then.
		definitions int
	}{
		{[]string{"work-example.yaml"}, crds(t)},
		{[]string{"work-example.yaml", "work-second-request.yaml"}, crds(t)},
		{[]string{"work-second-request.yaml"}, crds(t)},
		{nil, 0},
	} {
		reconciler := &reconcile.Reconciler{
			Source: &input{slices.Concat(always, step.requests)}, Stores: oneStore{store}, Finish: reconcile.Commit,
			Policy: reconcile.Policy{OnConflict: dedupe.Share},
		}
		result, err := reconciler.Round(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(result.Findings) > 0 {
			t.Fatalf("%v: found %v", step.requests, result.Findings)
		}
		if err := disk.Lay(everything(t, store)); err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, root := range []string{"worker-1/dependencies", "worker-1/resources"} {
			built, err := disk.Judge(root)
			if err != nil {
				t.Fatalf("%v: %s: %v", step.requests, root, err)
			}
			for _, object := range built.Resources() {
				if object.GetKind() == "CustomResourceDefinition" {
					found++
				}
			}
		}
		if found != step.definitions {
			t.Errorf("%v: Flux applies %d CustomResourceDefinitions, want %d", step.requests, found, step.definitions)
		}
	}
}

// crds counts the CustomResourceDefinitions of one request.
func crds(t *testing.T) int {
	t.Helper()
	content, err := os.ReadFile("../../testdata/elastic-cloud/pipelines/example/output/elastic-crds.yaml")
	if err != nil {
		t.Fatal(err)
	}
	count := strings.Count("\n"+string(content), "\nkind: CustomResourceDefinition\n")
	if count == 0 {
		t.Fatal("the tutorial has no CustomResourceDefinition")
	}
	return count
}

func everything(t *testing.T, store statestore.Store) []tree.File {
	t.Helper()
	state, err := store.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var files []tree.File
	for path := range state.Files.All() {
		content, err := state.Contents.Content(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, tree.File{Path: path, Content: content})
	}
	return files
}
