package reconcile

import (
	"fmt"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

// BenchmarkRound measures a first round, a round without changes, and a round with one new Work.
func BenchmarkRound(b *testing.B) {
	for _, works := range []int{100, 1_000, 10_000, 100_000} {
		crowd := func(b *testing.B) *testEnv {
			b.Helper()
			w := newEnv(b)
			for i := 1; i < works/100; i++ {
				w.addDestination(fmt.Sprintf("worker-%04d", i), fmt.Sprintf("worker-%04d", i))
			}
			for i := range works {
				w.add(i)
			}
			return w
		}
		b.Run(fmt.Sprintf("first/%d", works), func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				w := crowd(b)
				b.StartTimer()
				w.round()
			}
		})
		b.Run(fmt.Sprintf("unchanged/%d", works), func(b *testing.B) {
			w := crowd(b)
			w.round()
			w.round()
			b.ResetTimer()
			for range b.N {
				w.round()
			}
		})
		b.Run(fmt.Sprintf("one-more/%d", works), func(b *testing.B) {
			w := crowd(b)
			w.round()
			w.round()
			b.ResetTimer()
			for i := range b.N {
				w.add(works + i)
				w.round()
			}
		})
	}
}

// add is put without the search for an existing Work.
func (w *testEnv) add(i int) {
	name := fmt.Sprintf("w%06d", i)
	files := map[string]string{}
	for _, file := range []string{"one", "two", "three"} {
		files[file+".yaml"] = testkit.ConfigMaps(name + "-" + file)
	}
	w.snapshot.Works = append(w.snapshot.Works, testkit.Request(name, testkit.WithFiles(files)))
}
