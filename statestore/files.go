package statestore

import (
	"iter"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/tree"
)

// Files are the paths of a state with the sums of what is there. They are a tree
// that is never changed: one that is made from another shares the directories in
// which nothing differs, so that a look tells whether two are the same. The zero
// value holds nothing.
type Files struct{ top *directory }

// FileChange is one file of a new state that another state has not, or has with
// another content; with Gone, one that it has and the new state has not.
type FileChange struct {
	Path tree.Path
	Sum  Sum
	Gone bool
}

// directory holds what lies in one directory, by name.
type directory struct {
	entries []entry
	files   int // here and below
}

// entry is a name in a directory. In a bucket it may be a file and a directory
// at once.
type entry struct {
	path  tree.Path
	sum   Sum
	file  bool
	below *directory
}

// FilesOf makes Files of a map.
func FilesOf(sums map[tree.Path]Sum) Files {
	changes := make([]FileChange, 0, len(sums))
	for path, sum := range sums {
		changes = append(changes, FileChange{Path: path, Sum: sum})
	}
	return Files{}.With(changes)
}

// Len gives the number of files.
func (f Files) Len() int { return f.top.len() }

func (d *directory) len() int {
	if d == nil {
		return 0
	}
	return d.files
}

// Has tells whether there is a file at a path.
func (f Files) Has(p tree.Path) bool {
	_, ok := f.Sum(p)
	return ok
}

// Sum gives the sum of what is at a path, if there is a file.
func (f Files) Sum(p tree.Path) (Sum, bool) {
	if e := f.find(p); e != nil && e.file {
		return e.sum, true
	}
	return Sum{}, false
}

// find gives the entry at a path; nil when there is none, and for the root.
func (f Files) find(p tree.Path) *entry {
	var found *entry
	in := f.top
	for !p.IsRoot() {
		var name string
		name, p = p.Cut()
		i, ok := in.search(name)
		if !ok {
			return nil
		}
		found, in = &in.entries[i], in.entries[i].below
	}
	return found
}

func (d *directory) search(name string) (int, bool) {
	if d == nil {
		return 0, false
	}
	return slices.BinarySearchFunc(d.entries, name, func(e entry, name string) int { return strings.Compare(e.path.Base(), name) })
}

// at gives the directory at a path, if something is in it.
func (f Files) at(p tree.Path) *directory {
	if p.IsRoot() {
		return f.top
	}
	if e := f.find(p); e != nil {
		return e.below
	}
	return nil
}

// Same tells, by a look, that nothing at or below a path differs from what other
// has there. It may not know that two are equal which were not made of each
// other.
func (f Files) Same(other Files, p tree.Path) bool {
	sum, has := f.Sum(p)
	otherSum, otherHas := other.Sum(p)
	return has == otherHas && sum == otherSum && f.at(p) == other.at(p)
}

// All goes through all files in walk order.
func (f Files) All() iter.Seq2[tree.Path, Sum] { return f.Below(tree.Path{}) }

// Below goes through the files at or below a path, in walk order.
func (f Files) Below(p tree.Path) iter.Seq2[tree.Path, Sum] {
	return func(yield func(tree.Path, Sum) bool) {
		if sum, ok := f.Sum(p); ok && !yield(p, sum) {
			return
		}
		f.at(p).walk(yield)
	}
}

func (d *directory) walk(yield func(tree.Path, Sum) bool) bool {
	if d == nil {
		return true
	}
	for i := range d.entries {
		e := &d.entries[i]
		if e.file && !yield(e.path, e.sum) || !e.below.walk(yield) {
			return false
		}
	}
	return true
}

// Within gives the files at or below a path alone.
func (f Files) Within(p tree.Path) Files { return Files{f.top.within(p)} }

// within cuts everything off but what lies on the way to a path and below it.
func (d *directory) within(left tree.Path) *directory {
	if left.IsRoot() {
		return d
	}
	name, rest := left.Cut()
	i, ok := d.search(name)
	if !ok {
		return nil
	}
	e := d.entries[i]
	if !rest.IsRoot() {
		e.file, e.sum, e.below = false, Sum{}, e.below.within(rest)
	}
	if !e.file && e.below == nil {
		return nil
	}
	return newDirectory([]entry{e})
}

// Paths gives the paths at or below one, in walk order.
func (f Files) Paths(p tree.Path) []tree.Path {
	var paths []tree.Path
	for path := range f.Below(p) {
		paths = append(paths, path)
	}
	return paths
}

// With gives the files after changes. The last change of a path counts.
func (f Files) With(changes []FileChange) Files {
	sorted := slices.Clone(changes)
	slices.SortStableFunc(sorted, func(a, b FileChange) int { return tree.Compare(a.Path, b.Path) })
	return Files{f.top.with(sorted, 0)}
}

// with applies sorted changes below a directory; depth is the length of its path
// with the slash.
func (d *directory) with(changes []FileChange, depth int) *directory {
	var old []entry
	if d != nil {
		old = d.entries
	}
	made := make([]entry, 0, len(old)+1)
	differs := false
	for len(changes) > 0 {
		name := element(changes[0].Path, depth)
		n := 1
		for n < len(changes) && element(changes[n].Path, depth) == name {
			n++
		}
		i, found := slices.BinarySearchFunc(old, name, func(e entry, name string) int { return strings.Compare(e.path.Base(), name) })
		made = append(made, old[:i]...)
		before := entry{}
		if old = old[i:]; found {
			before, old = old[0], old[1:]
		}
		after := before.with(changes[:n], depth+len(name))
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

// with applies the changes at and below one entry, whose path ends at end.
func (e entry) with(changes []FileChange, end int) entry {
	for len(changes) > 0 && len(changes[0].Path.String()) == end {
		change := changes[0]
		changes = changes[1:]
		e.path, e.file, e.sum = change.Path, !change.Gone, change.Sum
		if change.Gone {
			e.sum = Sum{}
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

// element gives the part of a path that begins at an offset.
func element(p tree.Path, from int) string {
	rest := p.String()[from:]
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// ancestor gives the directory above a path that is so long.
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
	d := &directory{entries: slices.Clip(entries)}
	for i := range entries {
		if entries[i].file {
			d.files++
		}
		d.files += entries[i].below.len()
	}
	return d
}

// Sharing gives the same files, with the directories of others that are equal,
// so that Same knows them.
func (f Files) Sharing(others Files) Files { return Files{f.top.sharing(others.top)} }

func (d *directory) sharing(other *directory) *directory {
	if d == nil || other == nil || d == other {
		return d
	}
	made := slices.Clone(d.entries)
	for i := range made {
		if at, ok := other.search(made[i].path.Base()); ok {
			made[i].below = made[i].below.sharing(other.entries[at].below)
		}
	}
	if slices.Equal(made, other.entries) {
		return other
	}
	return &directory{entries: made, files: d.files}
}
