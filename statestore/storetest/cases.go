package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

func emptyReadsEmpty(t *testing.T, f Fixture) {
	for range 2 {
		state := Read(t, f.Store)
		if state.Revision != "" || state.Files.Len() != 0 || state.Contents == nil {
			t.Errorf("got %+v", state)
		}
	}
}

func roundTrip(t *testing.T, f Fixture) {
	want := map[string]string{
		"crlf.txt":                               "a\r\nb\r\n",
		"no-newline":                             "a",
		"empty":                                  "",
		"nul":                                    "a\x00b\x00",
		"not-utf8":                               "\xff\xfe",
		"big.bin":                                strings.Repeat("0123456789abcdef", 1<<16),
		"Ünï/çø∂é 文件.yaml":                       "unicode",
		" space / s ":                            "spaces",
		"a/z":                                    "1",
		"a-b/c":                                  "2",
		"a.yaml":                                 "3",
		"a0":                                     "4",
		"a/b/c":                                  "5",
		"a/b.c":                                  "6",
		"a/b-/d":                                 "7",
		".gitkeep":                               "",
		".kratix/x.yaml":                         "a: b\n",
		"-dash":                                  "8",
		"deep/" + strings.Repeat("d/", 50) + "f": "9",
		strings.Repeat("n", 255):                 "10",
	}
	Write(t, f.Store, want)
	everywhere(t, f, want)
}

func reopenSees(t *testing.T, f Fixture) {
	other := f.Reopen()
	Holds(t, other, map[string]string{})
	first := Write(t, f.Store, map[string]string{"a": "1", "keep/me": "k"})
	Holds(t, other, map[string]string{"a": "1", "keep/me": "k"})
	if got := Read(t, other).Revision; got != first {
		t.Errorf("the other handle reads revision %q, want %q", got, first)
	}
	Write(t, other, map[string]string{"b": "2"}, "a")
	Holds(t, f.Store, map[string]string{"b": "2", "keep/me": "k"})
}

func emptyChangeSet(t *testing.T, f Fixture) {
	for _, base := range []statestore.Revision{"", Write(t, f.Store, map[string]string{"a": "1"}), "something old"} {
		before := Read(t, f.Store).Revision
		got, err := f.Store.Apply(t.Context(), statestore.ChangeSet{Base: base})
		if err != nil || got != base {
			t.Errorf("Apply of nothing on %q = %q, %v", base, got, err)
		}
		if after := Read(t, f.Store).Revision; after != before {
			t.Errorf("the store went from %q to %q", before, after)
		}
	}
}

func newRevision(t *testing.T, f Fixture) {
	first := Write(t, f.Store, map[string]string{"a": "1"})
	second := Write(t, f.Store, map[string]string{"a": "2"})
	if first == "" || second == "" || first == second {
		t.Errorf("revisions %q and %q", first, second)
	}
	if got := Read(t, f.Store).Revision; got != second {
		t.Errorf("the store is at %q, want %q", got, second)
	}
}

func staleBase(t *testing.T, f Fixture) {
	other := f.Reopen()
	base := Read(t, other).Revision
	Write(t, f.Store, map[string]string{"a": "1", "b/c": "2"})
	for range 2 {
		_, err := other.Apply(t.Context(), statestore.ChangeSet{
			Base: base, Write: testkit.Files(map[string]string{"mine": "3", "a": "4"}), Remove: testkit.Paths("b/c"),
		})
		wantStale(t, err)
		base = "0123456789012345678901234567890123456789"
	}
	everywhere(t, f, map[string]string{"a": "1", "b/c": "2"})
	Write(t, other, map[string]string{"mine": "3"})
	everywhere(t, f, map[string]string{"a": "1", "b/c": "2", "mine": "3"})
}

func staleFirstWrite(t *testing.T, f Fixture) {
	_, err := f.Store.Apply(t.Context(), statestore.ChangeSet{
		Base: "0123456789012345678901234567890123456789", Write: testkit.Files(map[string]string{"a": "1"}),
	})
	wantStale(t, err)
	everywhere(t, f, map[string]string{})
}

func replace(t *testing.T, f Fixture) {
	Write(t, f.Store, map[string]string{"a": "1", "d/b": "2", "d/e/c": "3"})
	Write(t, f.Store, map[string]string{"a": "", "d/e/c": "three"})
	everywhere(t, f, map[string]string{"a": "", "d/b": "2", "d/e/c": "three"})
}

func remove(t *testing.T, f Fixture) {
	Write(t, f.Store, map[string]string{"a": "1", "d/b": "2", "d/e/c": "3"})
	Write(t, f.Store, nil, "a", "d/b")
	everywhere(t, f, map[string]string{"d/e/c": "3"})
}

func removeMissing(t *testing.T, f Fixture) {
	Write(t, f.Store, nil, "nothing/here")
	everywhere(t, f, map[string]string{})
	Write(t, f.Store, map[string]string{"a": "1", "d/b": "2"})
	Write(t, f.Store, map[string]string{"new": "3"}, "gone", "d/gone", "d/b/gone", "x/y/gone", "d")
	Write(t, f.Store, nil, "gone", "a/gone")
	everywhere(t, f, map[string]string{"a": "1", "d/b": "2", "new": "3"})
}

func removeLast(t *testing.T, f Fixture) {
	Write(t, f.Store, map[string]string{"a/b/c": "1", "a-b": "2", "z/y": "3"})
	Write(t, f.Store, nil, "a/b/c")
	everywhere(t, f, map[string]string{"a-b": "2", "z/y": "3"})
	Write(t, f.Store, map[string]string{"a": "a file now"})
	everywhere(t, f, map[string]string{"a": "a file now", "a-b": "2", "z/y": "3"})
}

func removeAll(t *testing.T, f Fixture) {
	Write(t, f.Store, map[string]string{"a/b": "1", "c": "2"})
	Write(t, f.Store, nil, "a/b", "c")
	everywhere(t, f, map[string]string{})
	Write(t, f.Store, map[string]string{"a": "3"})
	everywhere(t, f, map[string]string{"a": "3"})
}

func fileBecomesDirectory(t *testing.T, f Fixture) {
	Write(t, f.Store, map[string]string{"a": "1", "a.b": "2"})
	Write(t, f.Store, map[string]string{"a/b": "3", "a/c/d": "4"}, "a")
	everywhere(t, f, map[string]string{"a/b": "3", "a/c/d": "4", "a.b": "2"})
}

func directoryBecomesFile(t *testing.T, f Fixture) {
	Write(t, f.Store, map[string]string{"a/b": "1", "a/c/d": "2", "a.b": "3"})
	Write(t, f.Store, map[string]string{"a": "4"}, "a/b", "a/c/d")
	everywhere(t, f, map[string]string{"a": "4", "a.b": "3"})
}

func removeAndWrite(t *testing.T, f Fixture) {
	Write(t, f.Store, map[string]string{"a": "1"})
	Write(t, f.Store, map[string]string{"a": "2", "b": "3"}, "a", "b")
	everywhere(t, f, map[string]string{"a": "2", "b": "3"})
}

func contentsStay(t *testing.T, f Fixture) {
	want := map[string]string{"a": "1", "d/b": "2"}
	Write(t, f.Store, want)
	old := Read(t, f.Store)
	Write(t, f.Store, map[string]string{"a": "one", "new": "n"}, "d/b")
	Write(t, f.Reopen(), map[string]string{"a": "uno"})
	Holds(t, f.Store, map[string]string{"a": "uno", "new": "n"})
	holds(t, old, want)
}

func earlierStates(t *testing.T, f Fixture) {
	if !statestore.HasHistory(f.Store) {
		return
	}
	states := []map[string]string{{"a": "1", "b/c": "2"}, {"a": "1", "b/c": "3", "d": "4"}, {"d": "4"}}
	revisions := []statestore.Revision{
		Write(t, f.Store, states[0]), Write(t, f.Store, map[string]string{"b/c": "3", "d": "4"}), Write(t, f.Store, nil, "a", "b/c"),
	}
	fresh := f.Reopen() // has read nothing yet
	for name, store := range map[string]statestore.Store{"the writer": f.Store, "another handle": fresh} {
		for i, want := range states {
			state, err := statestore.At(t.Context(), store, revisions[i])
			if err != nil {
				t.Errorf("%s: At(%d): %v", name, i, err)
				continue
			}
			if holds(t, state, want); state.Revision != revisions[i] {
				t.Errorf("%s: At(%s) is of revision %s", name, revisions[i], state.Revision)
			}
		}
		Holds(t, store, states[len(states)-1])
	}
	for _, unknown := range []statestore.Revision{"", "no revision", "0123456789012345678901234567890123456789"} {
		if _, err := statestore.At(t.Context(), f.Store, unknown); !errors.Is(err, statestore.ErrUnknownRevision) {
			t.Errorf("At(%q) fails with %v", unknown, err)
		}
	}
}

func earlierRevisions(t *testing.T, f Fixture) {
	empty, err := statestore.ReadLog(t.Context(), f.Store, 10)
	if errors.Is(err, statestore.ErrNoLog) {
		return
	}
	if err != nil || len(empty.Entries) != 0 || empty.More {
		t.Errorf("the log of an empty store: %+v, %v", empty, err)
	}
	revisions := []statestore.Revision{Write(t, f.Store, map[string]string{"a": "1"}), Write(t, f.Store, map[string]string{"a": "2"}), Write(t, f.Store, nil, "a")}
	slices.Reverse(revisions)
	log, err := statestore.ReadLog(t.Context(), f.Reopen(), 10)
	if err != nil || len(log.Entries) == 0 || log.More {
		t.Fatalf("%+v, %v", log, err)
	}
	if len(log.Warnings) > 0 {
		revisions = revisions[:1] // the store keeps no versions
	}
	if !isLog(log, revisions) {
		t.Errorf("%+v, want %s", log, revisions)
	}
	if log, err = statestore.ReadLog(t.Context(), f.Store, 1); err != nil || !isLog(log, revisions[:1]) || log.More != (len(revisions) > 1) {
		t.Errorf("%+v, %v", log, err)
	}
}

func isLog(log statestore.Log, revisions []statestore.Revision) bool {
	for i, entry := range log.Entries {
		if i >= len(revisions) || entry.Revision != revisions[i] || i > 0 && log.Entries[i-1].Parent != entry.Revision {
			return false
		}
	}
	return len(log.Entries) == len(revisions)
}

func unknownContent(t *testing.T, f Fixture) {
	Write(t, f.Store, map[string]string{"d/a": "1"})
	state := Read(t, f.Store)
	for _, name := range []string{"b", "d", "d/a/b"} {
		if content, err := state.Contents.Content(t.Context(), testkit.Path(name)); err == nil {
			t.Errorf("Content(%s) = %q", name, content)
		}
	}
}

func writtenIsCopied(t *testing.T, f Fixture) {
	bytes := []byte("mine")
	_, err := f.Store.Apply(t.Context(), statestore.ChangeSet{Write: []tree.File{{Path: testkit.Path("a"), Content: bytes}}})
	if err != nil {
		t.Fatal(err)
	}
	copy(bytes, "XXXX")
	everywhere(t, f, map[string]string{"a": "mine"})
}

func sums(t *testing.T, f Fixture) {
	Write(t, f.Store, map[string]string{"a": "same", "d/b": "same", "c": "other", "empty": ""})
	state := Read(t, f.Store)
	sum := func(name string) statestore.Digest { s, _ := state.Files.Digest(testkit.Path(name)); return s }
	if sum("a") != sum("d/b") {
		t.Error("equal bytes have different sums")
	}
	if sum("a") == sum("c") || sum("a") == sum("empty") {
		t.Error("different bytes have one sum")
	}
	if state.Contents.Digest([]byte("same")) != sum("a") || state.Contents.Digest(nil) != sum("empty") {
		t.Error("Sum is not what Files holds")
	}
	if again, _ := Read(t, f.Reopen()).Files.Digest(testkit.Path("a")); again != sum("a") {
		t.Error("another handle sums differently")
	}
}

func concurrentWriters(t *testing.T, f Fixture) {
	const writers, writes = 4, 5
	want := map[string]string{}
	var group sync.WaitGroup
	for writer := range writers {
		store := f.Reopen()
		for i := range writes {
			want[fmt.Sprintf("w%d/f%d", writer, i)] = "x"
		}
		group.Go(func() {
			for i := range writes {
				writeUntilCurrent(t, store, testkit.Files(map[string]string{fmt.Sprintf("w%d/f%d", writer, i): "x"}))
			}
		})
	}
	group.Wait()
	everywhere(t, f, want)
}

func writeUntilCurrent(t *testing.T, store statestore.Store, files []tree.File) {
	for range 1000 {
		state, err := store.Read(t.Context())
		if err == nil {
			_, err = store.Apply(t.Context(), statestore.ChangeSet{Base: state.Revision, Write: files})
		}
		if err == nil {
			return
		}
		if !errors.Is(err, statestore.ErrStale) {
			t.Errorf("a writer failed: %v", err)
			return
		}
	}
	t.Error("a writer never got through")
}

func cancelled(t *testing.T, f Fixture) {
	Write(t, f.Store, map[string]string{"a": "1"})
	base := Read(t, f.Store).Revision
	ctx, begun := cancelledContext(), time.Now()
	if _, err := f.Store.Read(ctx); err == nil {
		t.Error("Read went on")
	}
	if _, err := f.Store.Apply(ctx, statestore.ChangeSet{Base: base, Write: testkit.Files(map[string]string{"b": "2"})}); err == nil {
		t.Error("Apply went on")
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	everywhere(t, f, map[string]string{"a": "1"})
}
