package statestore

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// Files are the paths of the files in a store, with the digests of their contents. They are
// immutable. The zero value is empty.
type Files struct{ top *directory }

// FileChange is a new or changed file, or a removed one if Gone is set.
type FileChange struct {
	Path   tree.Path
	Digest Digest
	Gone   bool
}

type directory struct {
	entries []entry
	files   int // number of files in this directory and below
	widest  int // maximum number of entries of this directory and of those below
}

// entry is a file or a directory, or both, which is possible in a bucket. A directory with only one
// entry is replaced by that entry.
type entry struct {
	path   tree.Path
	digest Digest
	file   bool
	below  *directory
}

// FilesOf returns Files with the paths and digests of a map.
func FilesOf(sums map[tree.Path]Digest) Files {
	changes := make([]FileChange, 0, len(sums))
	for path, sum := range sums {
		changes = append(changes, FileChange{Path: path, Digest: sum})
	}
	return Files{}.With(changes)
}

// Len returns the number of files.
func (f Files) Len() int { return f.top.len() }

// Widest returns the directory with the most entries, and their number.
func (f Files) Widest() (dir tree.Path, entries int) {
	if f.top == nil {
		return tree.Path{}, 0
	}
	at := f.top
	for len(at.entries) < f.top.widest {
		next := slices.IndexFunc(at.entries, func(e entry) bool { return e.below != nil && e.below.widest == f.top.widest })
		dir, at = at.entries[next].path, at.entries[next].below
	}
	return dir, len(at.entries)
}

func (d *directory) len() int {
	if d == nil {
		return 0
	}
	return d.files
}

// Has reports whether there is a file at a path.
func (f Files) Has(p tree.Path) bool {
	_, ok := f.Digest(p)
	return ok
}

// Digest returns the digest of the file at a path, or false if there is no file.
func (f Files) Digest(p tree.Path) (Digest, bool) {
	if e := f.find(p); e.file && e.path == p {
		return e.digest, true
	}
	return Digest{}, false
}

// Interned returns the path in f that is equal to p, so that the caller can drop p to save memory.
// If there is none, it returns p.
func (f Files) Interned(p tree.Path) tree.Path {
	if e := f.find(p); e.path == p {
		return e.path
	}
	return p
}

// find returns the entry at a path, or the zero entry if there is none. For a directory that was
// replaced by its only entry, it returns that entry.
func (f Files) find(p tree.Path) entry {
	if p.IsRoot() {
		return entry{below: f.top}
	}
	in, depth := f.top, 0
	for in != nil {
		i, ok := in.search(element(p, depth), depth)
		if !ok {
			break
		}
		e := in.entries[i]
		if e.path.Within(p) {
			return e
		}
		if !p.Within(e.path) {
			break
		}
		in, depth = e.below, len(e.path.String())+1
	}
	return entry{}
}

// search returns the position of a name in the directory, and whether it is there. depth is the
// length of the directory's own path, including the slash.
func (d *directory) search(name string, depth int) (int, bool) {
	return slices.BinarySearchFunc(d.entries, name, func(e entry, name string) int { return strings.Compare(element(e.path, depth), name) })
}

// Same reports in O(depth) whether both share the subtree at p. It may return false for equal Files
// that were built independently.
func (f Files) Same(other Files, p tree.Path) bool { return f.find(p) == other.find(p) }

// All returns an iterator over all files in walk order.
func (f Files) All() iter.Seq2[tree.Path, Digest] { return f.Below(tree.Path{}) }

// Below returns an iterator over the files at p and below, in walk order.
func (f Files) Below(p tree.Path) iter.Seq2[tree.Path, Digest] {
	return func(yield func(tree.Path, Digest) bool) { f.find(p).walk(yield) }
}

// From returns an iterator over the files at p and after p, in walk order.
func (f Files) From(p tree.Path) iter.Seq2[tree.Path, Digest] {
	return func(yield func(tree.Path, Digest) bool) { entry{below: f.top}.walkFrom(p, yield) }
}

func (e entry) walkFrom(p tree.Path, yield func(tree.Path, Digest) bool) bool {
	if tree.Compare(e.path, p) >= 0 {
		return e.walk(yield)
	}
	if e.below == nil || !p.Within(e.path) {
		return true
	}
	for i := range e.below.entries {
		if !e.below.entries[i].walkFrom(p, yield) {
			return false
		}
	}
	return true
}

func (e entry) walk(yield func(tree.Path, Digest) bool) bool {
	if e.file && !yield(e.path, e.digest) {
		return false
	}
	if e.below == nil {
		return true
	}
	for i := range e.below.entries {
		if !e.below.entries[i].walk(yield) {
			return false
		}
	}
	return true
}

// Within returns Files with only the files at p and below.
func (f Files) Within(p tree.Path) Files {
	switch e := f.find(p); {
	case e == entry{}:
		return Files{}
	case p.IsRoot():
		return f
	default:
		return Files{newDirectory([]entry{e})}
	}
}

// Differing returns an iterator over the paths at which f and other differ, in walk order.
func (f Files) Differing(other Files) iter.Seq[tree.Path] {
	return func(yield func(tree.Path) bool) { differing(f.top, other.top, 0, yield) }
}

// differing compares two directories. depth is the length of their path, including the slash.
func differing(a, b *directory, depth int, yield func(tree.Path) bool) bool {
	if a == b {
		return true
	}
	var left, right []entry
	if a != nil {
		left = a.entries
	}
	if b != nil {
		right = b.entries
	}
	for len(left)+len(right) > 0 {
		var x, y entry
		order := 0
		switch {
		case len(left) == 0:
			order = 1
		case len(right) == 0:
			order = -1
		default:
			order = strings.Compare(element(left[0].path, depth), element(right[0].path, depth))
		}
		if order <= 0 {
			x, left = left[0], left[1:]
		}
		if order >= 0 {
			y, right = right[0], right[1:]
		}
		if !x.differing(y, depth, yield) {
			return false
		}
	}
	return true
}

// differing compares two entries with the same name. One of them may be the zero entry.
func (e entry) differing(other entry, depth int, yield func(tree.Path) bool) bool {
	if e == other {
		return true
	}
	end := depth + len(element(cmp.Or(e, other).path, depth))
	e, other = e.expanded(end), other.expanded(end)
	if (e.file != other.file || e.digest != other.digest) && !yield(cmp.Or(e, other).path) {
		return false
	}
	return differing(e.below, other.below, end+1, yield)
}

// Paths returns the paths of the files at p and below, in walk order.
func (f Files) Paths(p tree.Path) []tree.Path {
	var paths []tree.Path
	for path := range f.Below(p) {
		paths = append(paths, path)
	}
	return paths
}

// With returns the files after the changes. If a path is in several changes, the last one counts.
func (f Files) With(changes []FileChange) Files {
	inOrder := func(a, b FileChange) int { return tree.Compare(a.Path, b.Path) }
	if !slices.IsSortedFunc(changes, inOrder) {
		changes = slices.Clone(changes)
		slices.SortStableFunc(changes, inOrder)
	}
	return Files{f.top.with(changes, 0)}
}

// with returns the directory after sorted changes. depth is the length of its path, including the
// slash.
func (d *directory) with(changes []FileChange, depth int) *directory {
	var old []entry
	if d != nil {
		old = d.entries
	}
	made := make([]entry, 0, len(old)+names(changes, depth))
	differs := false
	for len(changes) > 0 {
		name := element(changes[0].Path, depth)
		n := 1
		for n < len(changes) && element(changes[n].Path, depth) == name {
			n++
		}
		i, found := (&directory{entries: old}).search(name, depth)
		made = append(made, old[:i]...)
		before := entry{}
		if old = old[i:]; found {
			before, old = old[0], old[1:]
		}
		after := before.expanded(depth+len(name)).with(changes[:n], depth+len(name)).collapsed()
		differs = differs || after != before
		if after != (entry{}) {
			made = append(made, after)
		}
		changes = changes[n:]
	}
	if !differs {
		return d
	}
	return newDirectory(append(made, old...))
}

// expanded returns e if its path has at most length bytes. Otherwise it returns an entry for the
// directory above e whose path has this length.
func (e entry) expanded(length int) entry {
	if len(e.path.String()) <= length || e == (entry{}) {
		return e
	}
	return entry{path: ancestor(e.path, length), below: newDirectory([]entry{e})}
}

// collapsed returns e or, if e is a directory with a single entry, that entry.
func (e entry) collapsed() entry {
	if !e.file && e.below != nil && len(e.below.entries) == 1 {
		return e.below.entries[0]
	}
	return e
}

// names returns the number of different names directly below a directory in sorted changes. depth
// is the length of the directory's path, including the slash.
func names(changes []FileChange, depth int) int {
	n, last := 0, ""
	for i := range changes {
		if name := element(changes[i].Path, depth); n == 0 || name != last {
			n, last = n+1, name
		}
	}
	return n
}

// with returns the entry after changes at its path and below. end is the length of the path.
func (e entry) with(changes []FileChange, end int) entry {
	for len(changes) > 0 && len(changes[0].Path.String()) == end {
		change := changes[0]
		changes = changes[1:]
		e.path, e.file, e.digest = change.Path, !change.Gone, change.Digest
		if change.Gone {
			e.digest = Digest{}
		}
	}
	if len(changes) > 0 {
		e.below = e.below.with(changes, end+1)
		if e.below != nil && e.path.IsRoot() {
			e.path = ancestor(changes[0].Path, end)
		}
	}
	if !e.file && e.below == nil {
		return entry{}
	}
	return e
}

func element(p tree.Path, from int) string {
	rest := p.String()[from:]
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// ancestor returns p if it has at most length bytes. Otherwise it returns the lowest directory
// above p with at most length bytes.
func ancestor(p tree.Path, length int) tree.Path {
	for len(p.String()) > length {
		p = p.Dir()
	}
	return p
}

func newDirectory(entries []entry) *directory {
	if len(entries) == 0 {
		return nil
	}
	d := &directory{entries: slices.Clip(entries), widest: len(entries)}
	for i := range entries {
		if entries[i].file {
			d.files++
		}
		d.files += entries[i].below.len()
		if entries[i].below != nil {
			d.widest = max(d.widest, entries[i].below.widest)
		}
	}
	return d
}
