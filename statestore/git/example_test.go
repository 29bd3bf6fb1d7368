package git_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
)

// The example writes to a local repository that does not exist. The first write creates it.
func ExampleOpen() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	store, err := git.Open(git.Config{Name: "GitStateStore default", URL: filepath.Join(dir, "state.git"), Path: "clusters", Now: time.Now})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	state, err := store.Read(ctx)
	if err == nil {
		_, err = store.Apply(ctx, statestore.ChangeSet{Base: state.Revision, Write: testkit.FileList("worker-1/a.yaml", "a: 1\n")})
	}
	if err == nil {
		state, err = store.Read(ctx)
	}
	fmt.Println(state.Files.Paths(testkit.Path("")), len(state.Revision), err)
	// Output:
	// [worker-1/a.yaml] 40 <nil>
}
