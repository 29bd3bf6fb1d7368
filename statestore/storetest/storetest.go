// Package storetest is the conformance suite of state stores. It does I/O.
package storetest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Fixture is an empty store for one test.
type Fixture struct {
	// Store is the store that the tests read and write.
	Store statestore.Store
	// Reopen returns another handle of the same store.
	Reopen func() statestore.Store
	// Refuse makes the server reject certain files from now on, and returns some of them.
	Refuse func(t *testing.T) map[string]string
}

// Run runs the suite for one kind of store. open returns an empty store for each test.
func Run(t *testing.T, open func(t *testing.T) Fixture) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, f Fixture)
	}{
		{"an empty store reads as empty", emptyReadsEmpty},
		{"what was written is read back byte for byte", roundTrip},
		{"another handle sees what was written", reopenSees},
		{"an empty ChangeSet is no new revision", emptyChangeSet},
		{"each change is a new revision", newRevision},
		{"a stale Base writes nothing", staleBase},
		{"a stale empty store writes nothing", staleFirstWrite},
		{"a file is replaced", replace},
		{"a file is removed", remove},
		{"removing a missing path is no error", removeMissing},
		{"removing the last file of a directory leaves the others", removeLast},
		{"removing everything leaves an empty store", removeAll},
		{"a file becomes a directory", fileBecomesDirectory},
		{"a directory becomes a file", directoryBecomesFile},
		{"a path that is removed and written is written", removeAndWrite},
		{"contents stay valid when the store moves on", contentsStay},
		{"a store with a history reads earlier states", earlierStates},
		{"a store with a log lists its revisions", earlierRevisions},
		{"a path the State does not have is an error", unknownContent},
		{"a written content belongs to the store", writtenIsCopied},
		{"sums are equal when bytes are", sums},
		{"concurrent writers lose nothing", concurrentWriters},
		{"a cancelled context writes nothing", cancelled},
		{"a refused file is named as the content's fault, and nothing is written", refusedContent},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

// Read returns the state of a store. It ends the test if there is an error.
func Read(t testing.TB, store statestore.Store) statestore.State {
	t.Helper()
	state, err := store.Read(t.Context())
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	return state
}

// Write adds or replaces the files in contents, and removes the files in names. It ends the test if
// there is an error.
func Write(t testing.TB, store statestore.Store, contents map[string]string, names ...string) statestore.Revision {
	t.Helper()
	revision, err := store.Apply(t.Context(), statestore.ChangeSet{
		Base: Read(t, store).Revision, Write: testkit.Files(contents), Remove: testkit.Paths(names...),
	})
	if err != nil {
		t.Fatalf("Apply: %v", err)
	}
	return revision
}

// Holds reads all files of a store, and compares them with want.
func Holds(t testing.TB, store statestore.Store, want map[string]string) {
	t.Helper()
	holds(t, Read(t, store), want)
}

func holds(t testing.TB, state statestore.State, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	for path, sum := range state.Files.All() {
		content := content(t, state, path)
		got[path.String()] = string(content)
		if state.Contents.Digest(content) != sum {
			t.Errorf("%s: the sum of its content is not its sum", path)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if text, ok := got[name]; !ok || text != want[name] {
			t.Errorf("%s: got %.80q (there: %v), want %.80q", name, text, ok, want[name])
		}
		delete(got, name)
	}
	for name := range got {
		t.Errorf("%s is not wanted", name)
	}
}

func content(t testing.TB, state statestore.State, path tree.Path) []byte {
	t.Helper()
	content, err := state.Contents.Content(t.Context(), path)
	if err != nil {
		t.Fatalf("Content(%s): %v", path, err)
	}
	return content
}

func everywhere(t *testing.T, f Fixture, want map[string]string) {
	t.Helper()
	Holds(t, f.Store, want)
	Holds(t, f.Reopen(), want)
}

func cancelledContext() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func wantStale(t *testing.T, err error) {
	t.Helper()
	var told *statestore.Error
	if !errors.Is(err, statestore.ErrStale) || !errors.As(err, &told) {
		t.Fatalf("got %v, want a *statestore.Error that wraps ErrStale", err)
	}
}
