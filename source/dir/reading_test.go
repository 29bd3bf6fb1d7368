package dir

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/source"
)

func TestConcurrentReadsEqualSequentialReads(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		random := rand.New(rand.NewPCG(seed, 3))
		roots := []string{t.TempDir(), t.TempDir()}
		s := &Source{Paths: roots}
		for range 3 {
			var files []source.File
			for _, root := range roots {
				for i := range 60 {
					content := request(random.IntN(50), strconv.Itoa(random.IntN(5)))
					switch random.IntN(8) {
					case 0:
						content = "a: [\n"
					case 1:
						content += "---\n" + request(random.IntN(50), "second")
					case 2:
						content += "---\nkind: {}\n"
					}
					if err := os.WriteFile(benchFile(root, i), []byte(content), 0o600); err != nil {
						t.Fatal(err)
					}
					files = append(files, source.File{Name: benchFile(root, i), Content: []byte(content)})
				}
			}
			got, err := s.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			want := source.Collect(files)
			if diff := cmp.Diff(contents(want), contents(got)); diff != "" {
				t.Fatalf("seed %d: the places, -want +got\n%s", seed, diff)
			}
			want.Origins, got.Origins = source.Origins{}, source.Origins{}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(source.Origins{})); diff != "" {
				t.Fatalf("seed %d: -want +got\n%s", seed, diff)
			}
		}
	}
}

func contents(s source.Snapshot) []string {
	var all []string
	for object, place := range s.Origins.All() {
		all = append(all, kratix.Describe(object)+" < "+place.String())
	}
	return all
}

func TestConcurrentReadsAreLimited(t *testing.T) {
	t.Parallel()
	const files = 50
	limit := atOnce * runtime.GOMAXPROCS(0)
	l := &scan{Source: &Source{collection: source.NewCollection(), delayedRemovals: map[fileID]*delayedRemoval{}}}
	in := newInput(0, "dir")
	var begun, most, taken atomic.Int64
	gates := make([]chan struct{}, files)
	for i := range gates {
		gates[i] = make(chan struct{})
	}
	go func() {
		for begun.Load() < int64(limit) {
			runtime.Gosched()
		}
		for i := range gates {
			if i%limit == 0 {
				for j := min(i+limit, files) - 1; j >= i; j-- {
					close(gates[j])
				}
			}
		}
	}()
	for i := range files {
		l.begin(in, fmt.Sprintf("%03d.yaml", i), seen{old: true}, func() source.File {
			now := begun.Add(1) - taken.Load()
			for was := most.Load(); now > was && !most.CompareAndSwap(was, now); was = most.Load() {
			}
			<-gates[i]
			file := source.File{Name: fmt.Sprintf("%03d.yaml", i), Content: []byte(request(i, "no"))}
			if i == 7 {
				file.Content, file.Err = nil, errors.New("permission denied")
			}
			return file
		})
		taken.Store(int64(len(in.seen)))
		if len(l.readings) > limit {
			t.Fatalf("%d files are under way", len(l.readings))
		}
		for j := range len(in.seen) {
			if _, there := in.seen[fmt.Sprintf("%03d.yaml", j)]; !there {
				t.Fatalf("another file was taken before the one with the number %d", j)
			}
		}
	}
	l.finish()
	if len(l.readings) > 0 || len(in.seen) != files || begun.Load() != files {
		t.Fatalf("%d files began, %d were taken and %d are under way", begun.Load(), len(in.seen), len(l.readings))
	}
	if got := int(most.Load()); got < limit || got > limit+1 { // the count of files that have been taken may lag by one
		t.Errorf("%d files were read at once, not %d", got, limit)
	}
	for name, was := range in.seen {
		if was.old != (name != "007.yaml") {
			t.Errorf("%s is taken to be unchanged: %v", name, was.old)
		}
	}
	snapshot := l.collection.Snapshot()
	if len(snapshot.Works) != files-1 || len(snapshot.Findings) != 1 {
		t.Errorf("%d Works, findings %v", len(snapshot.Works), snapshot.Findings)
	}
}

type cancelled struct {
	context.Context //nolint:containedctx // it implements Context
	left            int
}

func (c *cancelled) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

func TestCancelledReadLeavesNothingInProgress(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	const files = 12
	for i := range files {
		if err := os.WriteFile(filepath.Join(root, fmt.Sprintf("%02d.yaml", i)), []byte(request(i, "no")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for asked := range files + 1 {
		s := &Source{Paths: []string{root}}
		if _, err := s.Snapshot(&cancelled{t.Context(), asked}); !errors.Is(err, context.Canceled) {
			t.Fatalf("after %d: %v", asked, err)
		}
		read := slices.Collect(func(yield func(string) bool) {
			for _, w := range s.collection.Snapshot().Works {
				if !yield(w.Name) {
					return
				}
			}
		})
		if want := max(asked-1, 0); len(read) != want || len(s.inputs[0].seen) != want {
			t.Errorf("after %d: %d Works of %d files", asked, len(read), len(s.inputs[0].seen))
		}
		snapshot, err := s.Snapshot(t.Context())
		if err != nil || len(snapshot.Works) != files {
			t.Errorf("after %d: then %d Works, %v", asked, len(snapshot.Works), err)
		}
	}
}
