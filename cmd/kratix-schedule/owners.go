package main

import (
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/policy"
)

// nameOwners replaces places in the store by files on disk, and names the owners of related files.
func (s *checkStores) nameOwners(findings []finding.Finding) {
	if !s.filesOnly {
		return
	}
	store := kratix.GitStateStoreKind + " " + treeStore
	for i := range findings {
		f := &findings[i]
		if f.Place.Object == store {
			f.Place.Object, f.Place.File = "", slashed(s.tree.dir, f.Place.File)
		}
		f.Related = slices.Clone(f.Related)
		for j := range f.Related {
			if related := &f.Related[j]; related.Place.Object == store {
				related.Message = ownerOf(related.Place.File)
				related.Place.Object, related.Place.File = "", slashed(s.tree.dir, related.Place.File)
			}
		}
	}
}

func (s *checkStores) comments() []policy.Comment {
	var found []policy.Comment
	if s.filesOnly {
		for _, file := range s.files {
			found = append(found, policy.Comments("", slashed(s.tree.dir, file.Path.String()), file.Content)...)
		}
	}
	return found
}

// ownerOf returns the request or Promise that the path of a file names.
func ownerOf(path string) string {
	segments := strings.Split(path, "/")
	const requestDepth, dependencyDepth = 4, 2
	for i, segment := range segments {
		below := segments[i+1:]
		switch {
		case segment == "resources" && len(below) > requestDepth:
			return "request " + below[0] + "/" + below[2] + " of Promise " + below[1]
		case segment == "dependencies" && len(below) > dependencyDepth:
			return "Promise " + below[0]
		}
	}
	return "a file that belongs to no placement"
}
