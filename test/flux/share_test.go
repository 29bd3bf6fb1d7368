package flux

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
)

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

type oneStore struct{ statestore.Store }

func (s oneStore) Open(kratix.StateStoreReference, kratix.Object, *kratix.Secret) (statestore.Store, error) {
	return s.Store, nil
}

func TestFluxBuildsBothRootsOfSharedRequests(t *testing.T) {
	always := []string{"destination.yaml", "state-store.yaml"}
	store := memory.New("store")
	disk := Disk{t.TempDir()}
	for _, requests := range [][]string{{"example"}, {"example", "second-request"}, {"second-request"}, nil} {
		var works []string
		for _, request := range requests {
			works = append(works, "work-"+request+".yaml")
		}
		reconciler := &reconcile.Reconciler{
			Source: &input{slices.Concat(always, works)}, Stores: oneStore{store}, Finish: reconcile.Commit,
			Policy: reconcile.Policy{OnConflict: dedupe.Share, Allow: reconcile.AllowAll()},
		}
		result, err := reconciler.Round(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(result.Findings) > 0 {
			t.Fatalf("%v: found %v", requests, result.Findings)
		}
		files := everything(t, store)
		if err := disk.WriteFiles(files); err != nil {
			t.Fatal(err)
		}
		applied := map[string]int{}
		for _, root := range []string{"worker-1/dependencies", "worker-1/resources"} {
			built, err := disk.Judge(root)
			if err != nil {
				t.Fatalf("%v: %s: %v", requests, root, err)
			}
			for _, object := range built.Resources() {
				if id := object.CurId(); id.Name != "kratix-worker-system" && id.Namespace != "kratix-worker-system" { // not an object of a canary file
					applied[id.Kind+" "+id.EffectiveNamespace()+"/"+id.Name]++
				}
			}
		}
		if want := objectsOf(t, requests); !maps.Equal(applied, want) {
			t.Errorf("%v: Flux applies %v, want %v", requests, applied, want)
		}
		if len(requests) == 0 {
			onlyPlaceholders(t, files)
		}
	}
}

func objectsOf(t *testing.T, requests []string) map[string]int {
	t.Helper()
	objects, definitions := map[string]int{}, 0
	for _, request := range requests {
		dir := filepath.Join("..", "..", "testdata", "elastic-cloud", "pipelines", request, "output")
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
			if err != nil {
				t.Fatal(err)
			}
			found, err := kustomize.Objects(content)
			if err != nil {
				t.Fatal(err)
			}
			for _, object := range found {
				objects[object.ID.Kind+" "+object.ID.Namespace+"/"+object.ID.Name] = 1
				if object.Defines != nil {
					definitions++
				}
			}
		}
	}
	if definitions == 0 && len(requests) > 0 {
		t.Fatal("the tutorial has no CustomResourceDefinition")
	}
	return objects
}

func onlyPlaceholders(t *testing.T, files []tree.File) {
	t.Helper()
	var names []string
	for _, file := range files {
		names = append(names, file.Path.String())
	}
	slices.Sort(names)
	if want := []string{"worker-1/dependencies/kratix-canary-namespace.yaml", "worker-1/resources/kratix-canary-configmap.yaml"}; !slices.Equal(names, want) {
		t.Errorf("at the end the store has %v, want %v", names, want)
	}
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
