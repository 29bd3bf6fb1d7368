package dir

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// input is one of the paths to read, with the files found there.
type input struct {
	// rank is the index of the path: if an object is defined twice, the lower rank takes
	// precedence.
	rank int
	path string
	// root is the file or directory at the path during the last full scan.
	root fs.FileInfo
	// seen are the files by name.
	seen map[string]seen
	// links are the symbolic links among the files; their targets may change without an event.
	links map[string]struct{}
	// skipped counts the entries that the last full scan skipped.
	skipped skipped
}

// seen is the state of a file at the last read.
type seen struct {
	stat
	// old means that any change of the file after the last read would change the stat.
	old bool
	// scan is the number of the last read that included the file.
	scan int
}

// fileID identifies a file of an input.
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

// name returns the file name for a path in an input. It returns false if the input has no such
// file.
func (s *Source) name(in *input, path string) (string, bool) {
	if in.root == nil || !in.root.IsDir() {
		return in.path, filepath.Clean(in.path) == path
	}
	return s.nameBelow(in.path, path)
}

// nameBelow returns the name that a directory listing has for a path. It returns false if the file
// is not read.
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

// isHidden reports whether the name begins with a dot, as do some files of editors, and the
// directories with the data of a mounted ConfigMap.
func isHidden(path string) bool { return strings.HasPrefix(filepath.Base(path), ".") }

// isYAML reports whether files with this name are read. Backups and temporary files of editors
// ("a.yaml~", "#a.yaml#", "4913") are not.
func isYAML(path string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(path))
}
