package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Round writes the wanted files to the store, and removes all other files. It returns the changes.
func Round(t testing.TB, store statestore.Store, want map[string]string) (statestore.ChangeSet, error) {
	state, err := store.Read(t.Context())
	if err != nil {
		return statestore.ChangeSet{}, err
	}
	changes := statestore.Diff(state, testkit.Files(want), func(tree.Path) bool { return true })
	_, err = store.Apply(t.Context(), changes)
	return changes, err
}

// Settle runs rounds until one of them has no changes. It ends the test after 30 rounds.
func Settle(t testing.TB, store statestore.Store, want map[string]string) {
	t.Helper()
	for range 30 {
		changes, err := Round(t, store, want)
		if err == nil && changes.Empty() {
			return
		}
		if err != nil && !errors.As(err, new(*statestore.Error)) {
			t.Fatalf("a %T, want a *statestore.Error: %v", err, err)
		}
	}
	t.Fatal("30 rounds were not enough")
}

// RandomTree returns random files whose paths begin with prefix.
func RandomTree(random *rand.Rand, prefix string) map[string]string {
	files := map[string]string{}
	for i := range 20 {
		if random.IntN(2) == 0 {
			files[fmt.Sprintf("%sdependencies/p%d/file.yaml", prefix, i)] = strconv.Itoa(random.IntN(3))
			files[fmt.Sprintf("%sresources/default/p%d/file.yaml", prefix, i)] = strconv.Itoa(random.IntN(3))
			files[fmt.Sprintf("%s.kratix/default-p%d.yaml", prefix, i)] = strconv.Itoa(random.IntN(3))
		}
	}
	return files
}

// Contents returns the files of a state.
func Contents(t testing.TB, state statestore.State) map[string]string {
	t.Helper()
	contents := map[string]string{}
	for path := range state.Files.All() {
		content, err := state.Contents.Content(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		contents[path.String()] = string(content)
	}
	return contents
}
