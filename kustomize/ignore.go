package kustomize

import (
	"bytes"
	"iter"
	"slices"
	"strings"

	"github.com/fluxcd/pkg/sourceignore"

	"github.com/kratix-schedule/kratix-schedule/tree"
)

// IsIgnoreFile tells whether Flux reads a file of this path as patterns of what
// it does not fetch.
func IsIgnoreFile(path tree.Path) bool { return path.Base() == sourceignore.IgnoreFile }

// IgnoreFilesAbove gives the paths where such files would say something of a
// directory from above it.
func IgnoreFilesAbove(dir tree.Path) iter.Seq[tree.Path] {
	return func(yield func(tree.Path) bool) {
		for !dir.IsRoot() {
			if dir = dir.Dir(); !yield(dir.Join(ignoreFile())) {
				return
			}
		}
	}
}

func ignoreFile() tree.Path {
	path, _ := tree.ParsePath(sourceignore.IgnoreFile) // a constant that is one
	return path
}

// Ignore tells which files Flux does not fetch from a store: those that a
// .sourceignore names, and a few that it never fetches. The files' paths are
// relative to the store's root; only .sourceignore files among them count.
func Ignore(files []tree.File) func(tree.Path) bool {
	var ignores []tree.File
	for _, file := range files {
		if IsIgnoreFile(file.Path) {
			ignores = append(ignores, file)
		}
	}
	// A directory's own patterns come before those of the directories in it.
	slices.SortStableFunc(ignores, func(a, b tree.File) int { return tree.Compare(a.Path.Dir(), b.Path.Dir()) })
	patterns := sourceignore.NewDefaultMatcher(nil, nil)
	if len(ignores) > 0 {
		read := sourceignore.ReadPatterns(bytes.NewReader(ignores[0].Content), elements(ignores[0].Path.Dir()))
		for _, file := range ignores[1:] {
			read = append(read, sourceignore.ReadPatterns(bytes.NewReader(file.Content), elements(file.Path.Dir()))...)
		}
		patterns = sourceignore.NewDefaultMatcher(read, nil)
	}
	return func(path tree.Path) bool { return patterns.Match(elements(path), false) }
}

func elements(path tree.Path) []string {
	if path.IsRoot() {
		return nil
	}
	return strings.Split(path.String(), "/")
}
