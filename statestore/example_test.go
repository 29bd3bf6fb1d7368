package statestore_test

import (
	"context"
	"fmt"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
)

// The example compares the files of a store with the wanted ones. It removes a file that is not
// wanted only if the file is owned.
func ExampleDiff() {
	store := memory.New("GitStateStore default")
	write(store, "app/old.yaml", "old", "app/same.yaml", "same", "README.md", "by hand")

	stored, _ := store.Read(context.Background())
	wanted := testkit.FileList("app/new.yaml", "new", "app/same.yaml", "same")
	owned := func(path tree.Path) bool { return path.Within(testkit.Path("app")) }
	changes := statestore.Diff(stored, wanted, owned)
	for _, file := range changes.Write {
		fmt.Println("write", file.Path)
	}
	fmt.Println("remove", changes.Remove)
	// Output:
	// write app/new.yaml
	// remove [app/old.yaml]
}

// The example writes to two stores. Another writer has changed the second store since it was read.
func ExampleCommit() {
	first, second := memory.New("GitStateStore first"), memory.New("GitStateStore second")
	var parts []statestore.StoreChanges
	for _, store := range []*memory.Store{first, second} {
		stored, _ := store.Read(context.Background())
		changes := statestore.Diff(stored, testkit.FileList("a.yaml", "a"), nil)
		parts = append(parts, statestore.StoreChanges{Store: store, Changes: changes})
	}
	write(second, "b.yaml", "another writer")

	for _, outcome := range statestore.Commit(context.Background(), parts) {
		fmt.Printf("revision %q, error: %v\n", outcome.Revision, outcome.Err)
	}
	// Output:
	// revision "1", error: <nil>
	// revision "", error: write GitStateStore second: the store has moved on
}

func write(store statestore.Store, pairs ...string) {
	stored, _ := store.Read(context.Background())
	_, _ = store.Apply(context.Background(), statestore.ChangeSet{Base: stored.Revision, Write: testkit.FileList(pairs...)})
}
