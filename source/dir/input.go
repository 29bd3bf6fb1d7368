package dir

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

type input struct {
	// rank is the index of the path in Source.Paths.
	rank int
	path string
	// root describes the file or directory at the path in the last full scan.
	root fs.FileInfo
	seen map[string]seen
	// links are the names of symbolic links. Their targets may change without an event.
	links   map[string]struct{}
	skipped skipped
}

type seen struct {
	stat
	// old means that any later change of the file changes its stat.
	old bool
	// scan is the number of the last scan that has found the file.
	scan int
}

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

// name returns the name of the file at a path, and whether the input reads such a file.
func (s *Source) name(in *input, path string) (string, bool) {
	if in.root == nil || !in.root.IsDir() {
		return in.path, filepath.Clean(in.path) == path
	}
	return s.nameBelow(in.path, path)
}

// nameBelow returns the name that the file at path has in a listing of dir, and whether the file is
// read.
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

// isHidden reports whether the name begins with a dot.
func isHidden(path string) bool { return strings.HasPrefix(filepath.Base(path), ".") }

// isYAML reports whether files with this extension are read.
func isYAML(path string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(path))
}
