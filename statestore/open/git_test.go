package open_test

import (
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore/open"
)

func TestRepositoryStaysOpenWhileItsSettingsAreEqual(t *testing.T) {
	ref := kratix.StateStoreReference{Kind: kratix.GitStateStoreKind, Name: "default"}
	store := &kratix.GitStateStore{Spec: kratix.GitStateStoreSpec{URL: "https://git.example.com/stores.git"}}
	stores := &open.Stores{Now: time.Now}
	first, err := stores.Open(ref, store, nil)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := stores.Open(ref, store, nil); err != nil || again != first {
		t.Errorf("opened again: %v", err)
	}
	store.Spec.Path = "elsewhere"
	if other, err := stores.Open(ref, store, nil); err != nil || other == first {
		t.Errorf("another directory is the same store: %v", err)
	}
}
