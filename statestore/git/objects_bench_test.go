package git

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
)

// BenchmarkHeld stores the objects of a repository with 100,000 Works, and reads its trees. The
// "trees" case omits the blobs. The time per operation is the time to read one tree. The metric
// tidied-MiB is the heap memory after reachable has copied the objects.
func BenchmarkHeld(b *testing.B) {
	b.Run("all", func(b *testing.B) { benchmarkHeld(b, 100_000, true) })
	b.Run("trees", func(b *testing.B) { benchmarkHeld(b, 100_000, false) })
}

func benchmarkHeld(b *testing.B, works int, blobs bool) {
	before := heap()
	held := newObjects()
	held.partial = !blobs
	head, trees := grow(b, held, works, blobs)
	n, grown := held.len(), float64(heap()-before)
	i := 0
	for b.Loop() {
		i = (i + 7919) % len(trees)
		if _, err := held.entries(trees[i]); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(grown/float64(n), "heap-B/object")
	b.ReportMetric(grown/(1<<20), "heap-MiB")
	kept, err := held.reachable(head)
	if err != nil || kept.len() != n {
		b.Fatalf("%d objects of %d: %v", kept.len(), n, err)
	}
	held = nil
	b.ReportMetric(float64(heap()-before)/(1<<20), "tidied-MiB")
	runtime.KeepAlive(kept)
	runtime.KeepAlive(trees)
}

func heap() uint64 {
	runtime.GC()
	runtime.GC() // frees objects with finalizers
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func grow(tb testing.TB, held *objects, works int, blobs bool) (head plumbing.Hash, trees []plumbing.Hash) {
	tb.Helper()
	receive := func(kind plumbing.ObjectType, content []byte) plumbing.Hash {
		hash, err := held.receive(kind, int64(len(content)), func(to io.Writer) error {
			_, err := to.Write(content)
			return err
		})
		if err != nil {
			tb.Fatal(err)
		}
		return hash
	}
	file := func(content []byte) plumbing.Hash {
		if blobs {
			return receive(plumbing.BlobObject, content)
		}
		return plumbing.ComputeHash(plumbing.BlobObject, content)
	}
	entry := func(mode, name string, hash plumbing.Hash) []byte {
		return append([]byte(mode+" "+name+"\x00"), hash[:]...)
	}
	filler := bytes.Repeat([]byte("key: value\n"), 50)
	var root, resources, records []byte
	for i := range works {
		var files []byte
		for f := range 3 {
			files = append(files, entry("100644", fmt.Sprintf("%d.yaml", f), file(fmt.Appendf(nil, "name: db-%06d-%d\n%s", i, f, filler)))...)
		}
		static := receive(plumbing.TreeObject, files)
		group := receive(plumbing.TreeObject, entry("40000", "static", static))
		work := receive(plumbing.TreeObject, entry("40000", "5058f", group))
		record := receive(plumbing.TreeObject, entry("100644", "5058f.yaml", file(fmt.Appendf(nil, "record: db-%06d\n%s", i, filler))))
		name := fmt.Sprintf("db-%06d", i)
		resources = append(resources, entry("40000", name, work)...)
		records = append(records, entry("40000", name, record)...)
		if i%100 == 99 {
			trees = append(trees, static, group, work, record)
			below := append(entry("40000", "records", receive(plumbing.TreeObject, records)), entry("40000", "resources", receive(plumbing.TreeObject, resources))...)
			root = append(root, entry("40000", fmt.Sprintf("worker-%04d", i/100), receive(plumbing.TreeObject, below))...)
			resources, records = nil, nil
		}
	}
	head = receive(plumbing.CommitObject, fmt.Appendf(nil, "tree %s\nauthor a <a@b> 1 +0000\ncommitter a <a@b> 1 +0000\n\nx", receive(plumbing.TreeObject, root)))
	return head, trees
}
