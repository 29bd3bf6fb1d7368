package layout_test

import (
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
)

func TestDestinationLocation(t *testing.T) {
	store := &kratix.GitStateStore{}
	store.Spec.URL, store.Spec.Path = "https://user:word@Example.com/a.git", "/clusters/"
	d := &kratix.Destination{}
	d.Name = "worker-1"
	ref := kratix.StateStoreReference{Kind: kratix.GitStateStoreKind, Name: "live"}
	for path, want := range map[string]string{"": "example.com/a#main:clusters/worker-1", "./a/": "example.com/a#main:clusters/a", "/": "example.com/a#main:clusters"} {
		d.Spec.Path = path
		if got, err := layout.DestinationLocation(d, ref, store); err != nil || got.String() != want {
			t.Errorf("%q: %s, %v, want %s", path, got, err, want)
		}
	}
	d.Spec.Path = "/"
	if got, err := layout.DestinationLocation(d, ref, nil); err != nil || got.String() != "GitStateStore live:" {
		t.Errorf("without a store: %s, %v", got, err)
	}
	d.Spec.Path = "../other"
	if got, err := layout.DestinationLocation(d, ref, store); err == nil {
		t.Errorf("an invalid path has the location %s", got)
	}
	d.Spec.Path, store.Spec.Path = "", "../other"
	if got, err := layout.DestinationLocation(d, ref, store); err == nil {
		t.Errorf("an invalid path of the store has the location %s", got)
	}
}

func TestLocationsOverlapOnlyInOneStorage(t *testing.T) {
	ref := kratix.StateStoreReference{Kind: kratix.GitStateStoreKind, Name: "a"}
	at := func(path, branch string) layout.Location {
		store := &kratix.GitStateStore{}
		store.Spec.URL, store.Spec.Path, store.Spec.Branch = "https://example.com/a", path, branch
		location, err := layout.StoreLocation(ref, store)
		if err != nil {
			t.Fatal(err)
		}
		return location
	}
	if !at("a/b", "").Overlaps(at("a", "main")) || !at("a", "").Overlaps(at("a/b", "")) || !at("a", "").Overlaps(at("/a/", "")) {
		t.Error("a directory does not overlap with the one that contains it")
	}
	if at("a", "").Overlaps(at("ab", "")) || at("a", "").Overlaps(at("a", "dev")) {
		t.Error("two directories, or two branches, overlap")
	}
}
