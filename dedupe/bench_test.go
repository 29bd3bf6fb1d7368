package dedupe

import (
	"fmt"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

func oneObject(n int) File {
	content := fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings-%06d\n  namespace: team-%d\ndata:\n  key: value-%d\n", n, n%50, n)
	p := testkit.Path(fmt.Sprintf("root/team-%d/promise/request-%06d/pipeline/5058f/config.yaml", n%50, n))
	return File{File: tree.File{Path: p, Content: []byte(content)}, Place: finding.Place{Object: fmt.Sprint("Work default/", n), File: "config.yaml"}}
}

func largeRoot(n int) Root {
	root := Root{Path: testkit.Path("root")}
	for i := range n {
		file := oneObject(i)
		root.Claims = append(root.Claims, Claim{
			Object: file.Place.Object, Dir: file.Path.Dir(), Wanted: []File{file}, Rank: Rank{Name: file.Place.Object},
		})
	}
	return root
}

func belowRoot(root Root) []tree.File {
	var files []tree.File
	for _, claim := range root.Claims {
		for _, file := range claim.Wanted {
			below, _ := file.Path.RelativeTo(root.Path)
			files = append(files, tree.File{Path: below, Content: file.Content})
		}
	}
	tree.SortFiles(files)
	return files
}

// BenchmarkKustomizeBuild measures kustomize's own build, for comparison.
func BenchmarkKustomizeBuild(b *testing.B) {
	for _, n := range []int{1_000, 8_000} {
		files := belowRoot(largeRoot(n))
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			measure(b, n, func() {
				if err := kustomize.Build(testkit.Path("root"), files); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

func BenchmarkFullCheck(b *testing.B) {
	for _, n := range []int{1_000, 8_000, 100_000} {
		root := largeRoot(n)
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			measure(b, n, func() {
				if v := Check(root); len(v.Quarantined) > 0 {
					b.Fatal(v.Quarantined)
				}
			})
		})
	}
}

func BenchmarkOneFileChanged(b *testing.B) {
	const n = 8_000
	root := largeRoot(n)
	root.Cache, root.CheckCache = &kustomize.Cache{}, &CheckCache{}
	Check(root)
	round := 0
	b.Run(strconv.Itoa(n), func(b *testing.B) {
		measure(b, n, func() {
			round++
			file := root.Claims[n/2].Wanted[0]
			file.Content = fmt.Appendf(nil, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: changed-%d\n", round)
			root.Claims[n/2].Wanted = []File{file}
			v := Check(root)
			if found := CheckCluster([]Verdict{v}); len(v.Quarantined)+len(v.Findings)+len(found) > 0 || !v.decided.trivial {
				b.Fatal(v)
			}
			root.Cache.Sweep()
		})
	})
}

// BenchmarkOneFileChangedBesideConflict measures a check after a change, with a conflict between
// other files.
func BenchmarkOneFileChangedBesideConflict(b *testing.B) {
	const n = 8_000
	root := largeRoot(n)
	root.Claims[1].Wanted[0].Content = root.Claims[0].Wanted[0].Content
	root.Cache, root.CheckCache = &kustomize.Cache{}, &CheckCache{}
	Check(root)
	round := 0
	b.Run(strconv.Itoa(n), func(b *testing.B) {
		measure(b, n, func() {
			round++
			file := root.Claims[n/2].Wanted[0]
			file.Content = fmt.Appendf(nil, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: changed-%d\n", round)
			root.Claims[n/2].Wanted = []File{file}
			if v := Check(root); len(v.Quarantined) != 1 {
				b.Fatal(v.Quarantined)
			}
			root.Cache.Sweep()
		})
	})
}

func BenchmarkConfirmedMessage(b *testing.B) {
	for _, n := range []int{1_000, 8_000, 100_000} {
		root := largeRoot(n)
		root.Claims[1].Wanted[0].Content = root.Claims[0].Wanted[0].Content
		root.Cache = &kustomize.Cache{}
		index := root.CheckCache.root(&root)
		index.update(&root)
		p := parse(&root, index)
		a := admit(p, p.states)
		first, later := firstConflict(a)
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			measure(b, n, func() {
				if messageOf(a, confirmation{}, first, later) == "" {
					b.Fatal("there is no conflict")
				}
			})
		})
	}
}

func measure(b *testing.B, n int, f func()) {
	b.Helper()
	b.ReportAllocs()
	before := processorTime(b)
	for b.Loop() {
		f()
	}
	spent := processorTime(b) - before
	b.ReportMetric(float64(spent.Microseconds())/1000/float64(b.N), "cpu-ms/op")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/object")
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
