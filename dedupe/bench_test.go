package dedupe

import (
	"fmt"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/finding"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
	"github.com/kratix-schedule/kratix-schedule/tree"
)

// oneObject is the file of the nth object of a large root.
func oneObject(n int) File {
	content := fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings-%06d\n  namespace: team-%d\ndata:\n  key: value-%d\n", n, n%50, n)
	p := path(fmt.Sprintf("root/team-%d/promise/request-%06d/pipeline/5058f/config.yaml", n%50, n))
	return File{File: tree.File{Path: p, Content: []byte(content)}, Place: finding.Place{Object: fmt.Sprint("Work default/", n), File: "config.yaml"}}
}

// largeRoot has claims of one file with one object each.
func largeRoot(n int) Root {
	root := Root{Path: path("root")}
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

func BenchmarkFullCheck(b *testing.B) {
	for _, n := range []int{1_000, 8_000, 100_000} {
		root := largeRoot(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if v := Check(root); len(v.Held) > 0 {
					b.Fatal(v.Held)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/object")
		})
	}
}

func BenchmarkJudge(b *testing.B) {
	for _, n := range []int{1_000, 8_000, 100_000} {
		files := belowRoot(largeRoot(n))
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if v := kustomize.Judge(path("root"), files); v.Err != nil {
					b.Fatal(v.Err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/object")
		})
	}
}

// BenchmarkKustomizeBuild is what the others are held against: kustomize's own
// build of the same files.
func BenchmarkKustomizeBuild(b *testing.B) {
	for _, n := range []int{1_000, 8_000} {
		files := belowRoot(largeRoot(n))
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if err := kustomize.Build(path("root"), files); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
