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

type locator struct {
	origins map[string]finding.Place
	// dirs are the directories of objects whose files are on disk.
	dirs map[string]string
	// reported are the places of findings about the input, without line numbers.
	reported map[finding.Place]bool
}

func newLocator() *locator {
	return &locator{origins: map[string]finding.Place{}, dirs: map[string]string{}, reported: map[finding.Place]bool{}}
}

func (l *locator) add(snapshot source.Snapshot) {
	for object, place := range snapshot.Origins.All() {
		l.origins[kratix.Describe(object)] = place
	}
	for _, f := range snapshot.Findings {
		l.reported[finding.Place{Object: f.Place.Object, File: f.Place.File}] = true
	}
}

// locate returns the position of a place on disk, or an empty position if it is not known.
func (l *locator) locate(p finding.Place) report.Position {
	origin, known := l.origins[p.Object]
	dir, unpacked := l.dirs[p.Object]
	switch {
	case p.Object == "" || l.reported[finding.Place{Object: p.Object, File: p.File}] || (known && p.File == origin.File):
		return report.Position{File: filepath.ToSlash(p.File), Line: p.Line, Exact: true}
	case unpacked && p.File != "":
		return report.Position{File: filepath.ToSlash(filepath.Join(dir, filepath.FromSlash(p.File))), Line: p.Line, Exact: true}
	case known && p.File != "" && isStore(p.Object):
		return report.Position{} // the files of a state store are not on disk
	case known:
		return report.Position{File: filepath.ToSlash(origin.File), Line: origin.Line}
	}
	return report.Position{}
}

func isStore(object string) bool {
	kind, _, _ := strings.Cut(object, " ")
	return kratix.IsStateStoreKind(kind)
}

// unpack returns the ignore comments and the number of objects in the files of Works.
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
			if err == nil { // content that cannot be decoded is reported when the Work is placed
				comments = append(comments, policy.Comments(kratix.Describe(work), workload.Filepath, content)...)
				objects += source.CountObjects(workload.Filepath, content)
			}
		}
	}
	return comments, objects
}

func claimObjects(comments []policy.Comment, snapshot source.Snapshot) {
	for i := range comments {
		for object, place := range snapshot.Origins.All() {
			if place.File == comments[i].Place.File && comments[i].First <= place.Line && place.Line <= comments[i].Last {
				comments[i].Objects = append(comments[i].Objects, kratix.Describe(object))
			}
		}
	}
}
