package main

import (
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/policy"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/source"
)

// locator knows where objects lie on disk.
type locator struct {
	// origins say where an object was read.
	origins map[string]finding.Place
	// dirs hold an object's files as files: a pipeline's output, a store's tree.
	dirs map[string]string
	// told are the places, but for their lines, of what was found while reading:
	// files on disk, even where the object that counts lies in another.
	told map[finding.Place]bool
}

func newLocator() *locator {
	return &locator{origins: map[string]finding.Place{}, dirs: map[string]string{}, told: map[finding.Place]bool{}}
}

func (l *locator) learn(snapshot source.Snapshot) {
	for object, place := range snapshot.Origins.All() {
		l.origins[kratix.Describe(object)] = place
	}
	for _, f := range snapshot.Findings {
		l.told[finding.Place{Object: f.Place.Object, File: f.Place.File}] = true
	}
}

// locate says where a place is: the very file, or the file that holds it.
func (l *locator) locate(p finding.Place) report.Spot {
	origin, known := l.origins[p.Object]
	dir, unpacked := l.dirs[p.Object]
	switch {
	case p.Object == "" || l.told[finding.Place{Object: p.Object, File: p.File}] || (known && p.File == origin.File):
		return report.Spot{File: filepath.ToSlash(p.File), Line: p.Line, Exact: true}
	case unpacked && p.File != "":
		return report.Spot{File: filepath.ToSlash(filepath.Join(dir, filepath.FromSlash(p.File))), Line: p.Line, Exact: true}
	case known && p.File != "" && isStore(p.Object):
		return report.Spot{} // its files are not on disk
	case known:
		return report.Spot{File: filepath.ToSlash(origin.File), Line: origin.Line}
	}
	return report.Spot{}
}

// isStore reports whether an object only says where files are.
func isStore(object string) bool {
	return strings.HasPrefix(object, kratix.GitStateStoreKind+" ") || strings.HasPrefix(object, kratix.BucketStateStoreKind+" ")
}

// unpack returns the ignores in the files of Works, and how many objects the files
// have. It works on all processors: the files are packed.
func unpack(works []*kratix.Work) (comments []policy.Comment, objects int) {
	found, counts := make([][]policy.Comment, len(works)), make([]int, len(works))
	var group sync.WaitGroup
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for i := range next {
				found[i], counts[i] = unpackOne(works[i])
			}
		})
	}
	for i := range works {
		next <- i
	}
	close(next)
	group.Wait()
	for i, some := range found {
		comments, objects = append(comments, some...), objects+counts[i]
	}
	return comments, objects
}

func unpackOne(work *kratix.Work) (comments []policy.Comment, objects int) {
	for _, group := range work.Spec.WorkloadGroups {
		for _, workload := range group.Workloads {
			content, err := kratix.Decode(workload.Content)
			if err == nil { // what cannot be decoded is reported by who would write it
				comments = append(comments, policy.Comments(kratix.Describe(work), workload.Filepath, content)...)
				objects += source.CountObjects(workload.Filepath, content)
			}
		}
	}
	return comments, objects
}

// claimObjects says which objects of the input a comment is beside.
func claimObjects(comments []policy.Comment, snapshot source.Snapshot) {
	for i := range comments {
		for object, place := range snapshot.Origins.All() {
			if place.File == comments[i].Place.File && comments[i].First <= place.Line && place.Line <= comments[i].Last {
				comments[i].Objects = append(comments[i].Objects, kratix.Describe(object))
			}
		}
	}
}
