// Package tree parses paths that cannot escape their root, and sorts files in the order of a walk
// of the tree. It does no I/O.
package tree

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// maxElement is the maximum length in bytes of a file name on common file systems.
const maxElement = 255

// ErrPath is the error that the errors of all rejected paths wrap.
var ErrPath = errors.New("unsafe path")

// ErrLong is the error about an element that is too long. Such errors also wrap ErrPath.
var ErrLong = fmt.Errorf("an element is longer than %d bytes", maxElement)

// Path is a clean, relative path with slashes. The zero Path is the root. A Path is never absolute,
// and has no element ".." or ".git" and no control character.
type Path struct{ slashed string }

// ParsePath parses a path to a file. It removes "./" and doubled slashes. It returns an error for a
// path that could lead out of the root or into git's own directory. Errors wrap ErrPath.
func ParsePath(s string) (Path, error) {
	if strings.HasPrefix(s, "/") {
		return Path{}, refused(s, "it is absolute")
	}
	if strings.HasSuffix(s, "/") {
		return Path{}, refused(s, "it names a directory")
	}
	p, err := ParseDir(s)
	if err == nil && p.IsRoot() {
		return Path{}, refused(s, "it is empty")
	}
	return p, err
}

// ParseDir parses a path to a directory, as in state stores and Destinations. "", "." and "/" are
// the root. Errors wrap ErrPath.
func ParseDir(s string) (Path, error) {
	var elements []string
	for element := range strings.SplitSeq(s, "/") {
		if element == "" || element == "." {
			continue
		}
		if len(element) > maxElement {
			return Path{}, fmt.Errorf("%w %q: %w", ErrPath, s, ErrLong)
		}
		if why := unsafe(element); why != "" {
			return Path{}, refused(s, why)
		}
		elements = append(elements, element)
	}
	return Path{strings.Join(elements, "/")}, nil
}

func refused(s, why string) error { return fmt.Errorf("%w %q: %s", ErrPath, s, why) }

func unsafe(element string) string {
	switch {
	case element == "..":
		return `".." leads out of the directory`
	case isGitDir(element):
		return fmt.Sprintf("%q belongs to git", element)
	case !utf8.ValidString(element):
		return "it is not UTF-8"
	case strings.ContainsFunc(element, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "it holds a control character"
	case strings.Contains(element, `\`):
		return "it holds a backslash"
	}
	return ""
}

// String returns the path with slashes, or "." for the root.
func (p Path) String() string {
	if p.IsRoot() {
		return "."
	}
	return p.slashed
}

// IsRoot reports whether p is the zero Path.
func (p Path) IsRoot() bool { return p.slashed == "" }

// Join returns p/rel.
func (p Path) Join(rel Path) Path {
	switch {
	case p.IsRoot():
		return rel
	case rel.IsRoot():
		return p
	}
	return Path{p.slashed + "/" + rel.slashed}
}

// Within reports whether p is equal to dir or below it. For example, "a/bc" is not within "a/b".
func (p Path) Within(dir Path) bool {
	_, ok := p.RelativeTo(dir)
	return ok
}

// RelativeTo returns p relative to dir, and whether p is within dir.
func (p Path) RelativeTo(dir Path) (Path, bool) {
	if dir.IsRoot() {
		return p, true
	}
	rest, ok := strings.CutPrefix(p.slashed, dir.slashed)
	if !ok || (rest != "" && rest[0] != '/') {
		return Path{}, false
	}
	return Path{strings.TrimPrefix(rest, "/")}, true
}

// Dir returns the parent directory of p, which is the root if p has a single element.
func (p Path) Dir() Path {
	i := strings.LastIndexByte(p.slashed, '/')
	return Path{p.slashed[:max(i, 0)]}
}

// Base returns the last element, or "." for the root.
func (p Path) Base() string {
	i := strings.LastIndexByte(p.slashed, '/')
	if p.IsRoot() {
		return "."
	}
	return p.slashed[i+1:]
}

// Cut returns the first element and the rest of the path.
func (p Path) Cut() (first string, rest Path) {
	first, after, _ := strings.Cut(p.slashed, "/")
	return first, Path{after}
}

// Compare compares paths in the order of a lexical walk of the tree: everything in "a/" comes
// before "a.yaml" and "a-b/".
func Compare(a, b Path) int {
	n := min(len(a.slashed), len(b.slashed))
	for i := range n {
		x, y := a.slashed[i], b.slashed[i]
		switch {
		case x == y:
			continue
		case x == '/':
			return -1
		case y == '/':
			return 1
		}
		return cmp.Compare(x, y)
	}
	return cmp.Compare(len(a.slashed), len(b.slashed))
}

// MarshalText returns the text that String returns. The error is always nil.
func (p Path) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// Below returns the paths that are within dir. The paths must be in the order of Compare.
func Below(paths []Path, dir Path) []Path {
	start, _ := slices.BinarySearchFunc(paths, dir, Compare)
	rest := paths[start:]
	end := sort.Search(len(rest), func(i int) bool { return !rest[i].Within(dir) })
	return rest[:end]
}
