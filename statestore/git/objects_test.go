package git

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
)

func expectObject(t *testing.T, held *objects, kind plumbing.ObjectType, want []byte) {
	t.Helper()
	hash := plumbing.ComputeHash(kind, want)
	one, err := held.get(hash)
	if err != nil {
		t.Error(err)
		return
	}
	got, err := bytesOf(one)
	if err != nil || !bytes.Equal(got, want) || one.Type() != kind || one.Size() != int64(len(want)) || one.Hash() != hash {
		t.Errorf("%s %s of %d bytes is a %s %s of %d bytes: %v", kind, hash, len(want), one.Type(), one.Hash(), len(got), err)
	}
}

func TestObjectsOfAllSizesAndTypesAreStored(t *testing.T) {
	for _, limit := range []int64{0, 3 * pageSize, maxInMemory} {
		held := newObjects()
		held.limit = limit
		kinds := []plumbing.ObjectType{plumbing.CommitObject, plumbing.TreeObject, plumbing.BlobObject, plumbing.TagObject}
		sizes := []int{0, 1, 15, 16, pageSize - 3, pageSize - 2, pageSize - 1, pageSize, pageSize + 1, 3*pageSize + 5, 1 << 20}
		for _, size := range sizes {
			for _, kind := range kinds {
				if err := held.put(encode(kind, bytes.Repeat([]byte{byte(size)}, size))); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, size := range sizes {
			for _, kind := range kinds {
				expectObject(t, held, kind, bytes.Repeat([]byte{byte(size)}, size))
			}
		}
		whole := int64(0)
		for _, size := range sizes {
			whole += int64(size * len(kinds))
		}
		if held.bytes() <= whole || held.bytes() > whole+int64(held.len())*maxHeader || held.grown != (growth{held.len(), held.bytes()}) {
			t.Errorf("limit %d: %d bytes, including %+v that were added, want somewhat more than %d", limit, held.bytes(), held.grown, whole)
		}
		if n := len(sizes) * len(kinds); held.len() != n || held.memory.end > limit || (held.spill == nil) != (limit == maxInMemory) {
			t.Errorf("limit %d: %d objects, want %d; %d bytes of %d in memory", limit, held.len(), n, held.memory.end, held.bytes())
		}
	}
}

func TestOnlyNewCompleteObjectsUseMemory(t *testing.T) {
	for _, limit := range []int64{0, maxInMemory} {
		held := newObjects()
		held.limit = limit
		first, second := []byte(strings.Repeat("first ", 5000)), []byte(strings.Repeat("second ", 4000))
		if err := held.put(encode(plumbing.BlobObject, first)); err != nil {
			t.Fatal(err)
		}
		ends := func() string { return fmt.Sprint(held.memory.end, held.bytes(), held.len(), held.grown) }
		before := ends()
		broken := errors.New("the connection ended")
		_, err := held.receive(plumbing.TreeObject, 20_000, func(to io.Writer) error {
			to.Write(make([]byte, 10_000)) //nolint:errcheck // the write fails anyway
			return broken
		})
		if !errors.Is(err, broken) {
			t.Errorf("err %v", err)
		}
		again, err := held.receive(plumbing.BlobObject, int64(len(first)), func(to io.Writer) error {
			_, err := to.Write(first)
			return err
		})
		if err != nil || again != plumbing.ComputeHash(plumbing.BlobObject, first) {
			t.Errorf("%s, %v", again, err)
		}
		if after := ends(); after != before {
			t.Errorf("limit %d: from %s to %s", limit, before, after)
		}
		if err := held.put(encode(plumbing.BlobObject, second)); err != nil {
			t.Fatal(err)
		}
		expectObject(t, held, plumbing.BlobObject, first)
		expectObject(t, held, plumbing.BlobObject, second)
	}
}

// TestObjectsAreReadWhileOthersAreAdded is most useful with -race.
func TestObjectsAreReadWhileOthersAreAdded(t *testing.T) {
	const n = 2000
	held := newObjects()
	held.limit = n * pageSize / 2 // half of the objects fit
	content := func(i int64) []byte { return fmt.Appendf(nil, "%*d", pageSize, i) }
	var added atomic.Int64
	var readers sync.WaitGroup
	for reader := range int64(4) {
		readers.Go(func() {
			for i := reader; i < n; {
				if i < added.Load() {
					expectObject(t, held, plumbing.BlobObject, content(i))
					i += 4
				} else if held.has(plumbing.ComputeHash(plumbing.BlobObject, content(n))) {
					t.Error("what was never added is there")
				}
			}
		})
	}
	for i := range int64(n) {
		if err := held.put(encode(plumbing.BlobObject, content(i))); err != nil {
			t.Error(err)
		}
		added.Store(i + 1)
	}
	readers.Wait()
	if held.memory.end == 0 || held.spill == nil || held.spill.end == 0 {
		t.Errorf("%d bytes of %d in memory", held.memory.end, held.bytes())
	}
}

func TestPositionsHoldLargeOffsets(t *testing.T) {
	for _, offset := range []int64{0, 1, pageSize, 1<<32 - 1, 1 << 32, 1<<47 - 1} {
		for _, spilled := range []bool{false, true} {
			if at, in := positionAt(offset, spilled).split(); at != offset || in != spilled {
				t.Errorf("%d, %v became %d, %v", offset, spilled, at, in)
			}
		}
	}
}
