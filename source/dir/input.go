package dir

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// input is a path that the user gave, and what was seen there.
type input struct {
	// rank is its place among the paths: the first of two equal objects counts.
	rank int
	path string
	// root is what the path led to at the last look at everything.
	root fs.FileInfo
	// seen are the files by their names.
	seen map[string]seen
	// links are those that are symbolic links: what they lead to may change
	// without an event of their own.
	links map[string]struct{}
	// passed is what the last look at everything passed over.
	passed passed
}

// seen is a file as the last look found it.
type seen struct {
	stat
	// old means that the file cannot have changed since without another stat.
	old bool
	// look is the number of the last look at it.
	look int
}

// fileID names a file of an input.
type fileID struct {
	rank int
	name string
}

func newInput(rank int, path string) *input {
	return &input{rank: rank, path: path, seen: map[string]seen{}, links: map[string]struct{}{}}
}

func (in *input) setLink(name string, link bool) {
	if link {
		in.links[name] = struct{}{}
	} else {
		delete(in.links, name)
	}
}

// name returns what the input calls the file of a path; false when it has no such
// file.
func (s *Source) name(in *input, path string) (string, bool) {
	if in.root == nil || !in.root.IsDir() {
		return in.path, filepath.Clean(in.path) == path
	}
	return s.nameBelow(in.path, path)
}

// nameBelow returns what the listing of a directory calls a path, if it has it.
func (s *Source) nameBelow(dir, path string) (string, bool) {
	below, err := filepath.Rel(dir, path)
	if err != nil || !filepath.IsLocal(below) || !isYAML(path) {
		return "", false
	}
	parts := strings.Split(below, string(filepath.Separator))
	if (len(parts) > 1 && !s.Recursive) || slices.ContainsFunc(parts, isHidden) {
		return "", false
	}
	name := filepath.Join(dir, below)
	return name, !s.excludes(dir, name)
}

// isHidden reports whether a file is an editor's, or a directory one where
// Kubernetes keeps what a mounted ConfigMap's links point to.
func isHidden(path string) bool { return strings.HasPrefix(filepath.Base(path), ".") }

// isYAML reports whether a directory is read for such a file. Backups and temporary
// files of editors ("a.yaml~", "#a.yaml#", "4913") are none of them.
func isYAML(path string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(path))
}
