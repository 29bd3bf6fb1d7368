package git_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

// measure is the main function of a child process. It reads and writes a store, and prints its peak
// memory in MiB.
func measure(url, ca string) int {
	store, err := git.Open(git.Config{
		Name: "GitStateStore default", URL: url, CABundle: []byte(ca), Now: time.Now,
		Auth: git.Auth{Username: gittest.User, Password: gittest.Password},
	})
	if err == nil {
		err = readAndWrite(store)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	status, err := os.ReadFile("/proc/self/status")
	_, rest, found := strings.Cut(string(status), "VmHWM:")
	var kib int
	if _, err := fmt.Sscan(rest, &kib); err != nil || !found {
		fmt.Fprintln(os.Stderr, "no VmHWM:", err)
		return 1
	}
	fmt.Println(kib >> 10)
	if err != nil {
		return 1
	}
	return 0
}

func readAndWrite(store *git.Store) error {
	ctx := context.Background()
	state, err := store.Read(ctx)
	if err != nil {
		return err
	}
	for _, path := range state.Files.Paths(tree.Path{})[:100] {
		if _, err := state.Contents.Content(ctx, path); err != nil {
			return err
		}
	}
	if _, err := store.Apply(ctx, statestore.ChangeSet{Base: state.Revision, Write: placements("peak", 1000)}); err != nil {
		return err
	}
	_, err = store.Read(ctx)
	return err
}
