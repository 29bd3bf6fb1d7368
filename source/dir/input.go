package dir

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

type input struct {
	// rank is the index of the path. If an object is defined in several inputs, the one in the
	// input with the lowest rank counts.
	rank int
	path string
	// root describes the file or directory at the path, as of the last full scan.
	root fs.FileInfo
	seen map[string]seen
	// links are the names of the symbolic links among the files. Their targets may change without
	// an event.
	links   map[string]struct{}
	skipped skipped
}

type seen struct {
	stat
	// old means that any later change of the file changes its stat. Then a file with the same stat
	// need not be read again.
	old bool
	// scan is the number of the last read in which the file existed.
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

// name returns the name of the file at a path. It returns false if the input has no such file.
func (s *Source) name(in *input, path string) (string, bool) {
	if in.root == nil || !in.root.IsDir() {
		return in.path, filepath.Clean(in.path) == path
	}
	return s.nameBelow(in.path, path)
}

// nameBelow returns the name that the file at path has in a listing of dir. It returns false if the
// file is not read.
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

// isHidden reports whether the name begins with a dot. Such names include temporary files of some
// editors, and the directories with the data of a mounted ConfigMap.
func isHidden(path string) bool { return strings.HasPrefix(filepath.Base(path), ".") }

// isYAML reports whether files with this name are read. Backups and temporary files of editors,
// such as "a.yaml~", "#a.yaml#" and "4913", are not read.
func isYAML(path string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(path))
}
