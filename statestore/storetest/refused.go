package storetest

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// refusedContent makes the server reject some of many files. The others must be writable without
// another Read.
func refusedContent(t *testing.T, f Fixture) {
	before := map[string]string{"dependencies/kept": "k", "resources/changed": "old", "resources/removed": "r"}
	base := Write(t, f.Store, before)
	refused := f.Refuse(t)
	good := map[string]string{"dependencies/new": "n", "resources/changed": "new", ".kratix/record": "r", "resources/zz/last": "l"}
	all := maps.Clone(good)
	maps.Copy(all, refused)
	for range 2 {
		revision, err := f.Store.Apply(t.Context(), statestore.ChangeSet{Base: base, Write: testkit.Files(all), Remove: testkit.Paths("resources/removed"), Divisible: true})
		wantRefused(t, err, slices.Sorted(maps.Keys(refused)))
		if revision != "" {
			base = revision
		}
	}
	everywhere(t, f, before)
	if left := Read(t, f.Reopen()).Unfinished; len(left) > 0 {
		t.Errorf("%v are unfinished", left)
	}
	_, err := f.Store.Apply(t.Context(), statestore.ChangeSet{Base: base, Write: testkit.Files(good), Remove: testkit.Paths("resources/removed")})
	if err != nil {
		t.Fatalf("what is not refused: %v", err)
	}
	good["dependencies/kept"] = "k"
	everywhere(t, f, good)
}

func wantRefused(t *testing.T, err error, refused []string) {
	t.Helper()
	var told *statestore.Error
	if !errors.Is(err, statestore.ErrContentRefused) || !errors.Is(err, statestore.ErrDenied) || !errors.As(err, &told) {
		t.Fatalf("got %v, want a *statestore.Error that wraps ErrContentRefused", err)
	}
	if told.Fix == "" {
		t.Error("what to do is not said")
	}
	if len(told.Paths) > 0 && !slices.Equal(told.Paths, testkit.Paths(refused...)) {
		t.Errorf("%v are named, want %v", told.Paths, refused)
	}
}
