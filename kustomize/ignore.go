package kustomize

import (
	"bytes"
	"iter"
	"slices"
	"strings"

	"github.com/fluxcd/pkg/sourceignore"
	"github.com/fluxcd/pkg/sourceignore/gitignore"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// IsIgnoreFile reports whether path is that of a .sourceignore file.
func IsIgnoreFile(path tree.Path) bool { return path.Base() == sourceignore.IgnoreFile }

// IgnoreFilesAbove yields the paths of the possible .sourceignore files in the directories above
// dir.
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
	path, _ := tree.ParsePath(sourceignore.IgnoreFile) // cannot fail, because the name is a constant
	return path
}

// Ignored matches the files that Flux excludes from the artifact of a store.
type Ignored struct {
	files []tree.File
	// matcher has the patterns of the files and the default ones. It is nil if there are no files.
	matcher  gitignore.Matcher
	defaults *defaultIgnores
}

// Ignore returns the patterns of the .sourceignore files among files, and Flux's default patterns.
// The paths of files are relative to the top of the store.
func Ignore(files []tree.File) *Ignored {
	ignored := &Ignored{defaults: newDefaultIgnores()}
	for _, file := range files {
		if IsIgnoreFile(file.Path) {
			ignored.files = append(ignored.files, file)
		}
	}
	if len(ignored.files) == 0 {
		return ignored
	}
	// The patterns of a directory precede those of its subdirectories.
	slices.SortStableFunc(ignored.files, func(a, b tree.File) int { return tree.Compare(a.Path.Dir(), b.Path.Dir()) })
	var patterns []gitignore.Pattern
	for _, file := range ignored.files {
		patterns = append(patterns, sourceignore.ReadPatterns(bytes.NewReader(file.Content), elements(file.Path.Dir()))...)
	}
	ignored.matcher = sourceignore.NewDefaultMatcher(patterns, nil)
	return ignored
}

// Has reports whether Flux ignores a file. It returns false if i is nil.
func (i *Ignored) Has(path tree.Path) bool {
	switch {
	case i == nil:
		return false
	case i.matcher == nil:
		return i.defaults.has(path.String())
	}
	return i.matcher.Match(elements(path), false)
}

// Equal reports whether both were made from the same .sourceignore files.
func (i *Ignored) Equal(other *Ignored) bool {
	if i == nil || other == nil {
		return i == other
	}
	return slices.EqualFunc(i.files, other.files, func(a, b tree.File) bool { return a.Path == b.Path && bytes.Equal(a.Content, b.Content) })
}

func elements(path tree.Path) []string {
	if path.IsRoot() {
		return nil
	}
	return strings.Split(path.String(), "/")
}
