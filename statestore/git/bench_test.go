package git_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
	"github.com/kratix-schedule/kratix-schedule/tree"
)

// BenchmarkApply writes placements of three files over https into repositories
// of several sizes.
func BenchmarkApply(b *testing.B) {
	for _, held := range []int{100, 20_000} {
		for _, placements := range []int{1, 1000} {
			b.Run(fmt.Sprintf("held=%d/placements=%d", held, placements), func(b *testing.B) {
				benchmarkApply(b, held, placements)
			})
		}
	}
}

func benchmarkApply(b *testing.B, held, placements int) {
	config := served(b, gittest.Bare(b))
	store := open(b, config)
	base := apply(b, store, statestore.ChangeSet{Write: numbered(b, "held", held/3+1)})
	storetest.Read(b, store)
	n := 0
	for b.Loop() {
		n++
		base = apply(b, store, statestore.ChangeSet{Base: base, Write: numbered(b, fmt.Sprint("new", n), placements)})
	}
	b.ReportMetric(float64(n*placements)/b.Elapsed().Seconds(), "placements/s")
}

func apply(b *testing.B, store statestore.Store, changes statestore.ChangeSet) statestore.Revision {
	b.Helper()
	revision, err := store.Apply(b.Context(), changes)
	if err != nil {
		b.Fatal(err)
	}
	return revision
}

func numbered(b *testing.B, text string, placements int) []tree.File {
	b.Helper()
	files := make([]tree.File, 0, 3*placements)
	for i := range placements {
		for f := range 3 {
			path := storetest.Path(b, fmt.Sprintf("worker-%d/resources/default/app/%s-%d/%d.yaml", i%10, text, i, f))
			content := fmt.Appendf(nil, "name: %s-%d-%d\n%s", text, i, f, bytes.Repeat([]byte("key: value\n"), 50))
			files = append(files, tree.File{Path: path, Content: content})
		}
	}
	tree.SortFiles(files)
	return files
}
