package memory_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
)

func ExampleStore() {
	ctx := context.Background()
	store := memory.New("GitStateStore default")
	stored, _ := store.Read(ctx)
	changes := statestore.ChangeSet{Base: stored.Revision, Write: testkit.FileList("a.yaml", "a: 1\n")}
	if _, err := store.Apply(ctx, changes); err != nil {
		fmt.Println(err)
	}
	_, err := store.Apply(ctx, changes) // the base of the changes is no longer current
	fmt.Println("stale:", errors.Is(err, statestore.ErrStale))
	stored, _ = store.Read(ctx)
	content, _ := stored.Contents.Content(ctx, testkit.Path("a.yaml"))
	fmt.Print(string(content))
	// Output:
	// stale: true
	// a: 1
}
