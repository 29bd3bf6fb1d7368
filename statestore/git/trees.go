package git

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

type edit struct {
	blob   plumbing.EncodedObject // the file to write here, or nil
	remove bool                   // remove the file here
	writes int                    // number of files to write below
	below  map[string]*edit
}

// planEdits arranges changes as a tree. It returns an error if the changes need a file and a
// directory at the same path.
func planEdits(parts []commitChanges) (*edit, error) {
	root := &edit{}
	for _, p := range parts {
		for _, path := range p.changes.Remove {
			root.descend(p.store.path.Join(path), func(*edit) {}).remove = true
		}
	}
	for _, p := range parts {
		for _, file := range p.changes.Write {
			if err := root.write(p.store.path.Join(file.Path), file.Content); err != nil {
				return nil, err
			}
		}
	}
	return root, nil
}

func (e *edit) write(path tree.Path, content []byte) error {
	blocked := false
	last := e.descend(path, func(above *edit) {
		above.writes++
		blocked = blocked || above.blob != nil
	})
	if blocked || last.writes > 0 {
		return conflict{at: path, why: "the changes contain both a file and a directory there"}
	}
	last.blob = encode(plumbing.BlobObject, content)
	return nil
}

// descend returns the edit at path, and creates it if necessary. It calls visit for each edit
// above.
func (e *edit) descend(path tree.Path, visit func(*edit)) *edit {
	for !path.IsRoot() {
		visit(e)
		var name string
		name, path = path.Cut()
		next, ok := e.below[name]
		if !ok {
			next = &edit{}
			if e.below == nil {
				e.below = map[string]*edit{}
			}
			e.below[name] = next
		}
		e = next
	}
	return e
}

// rewriter applies edits to trees. It adds the new objects to made.
type rewriter struct {
	objects *objects
	made    map[plumbing.Hash]plumbing.EncodedObject
}

// dir returns the hash of a tree after the edit, or zero if the tree would be empty.
func (r rewriter) dir(at string, was plumbing.Hash, e *edit) (plumbing.Hash, error) {
	old, err := r.objects.entries(was)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	next := make([]object.TreeEntry, 0, len(old)+len(e.below))
	left := maps.Clone(e.below)
	changed := false
	edited := func(entry object.TreeEntry, child *edit) error {
		after, err := r.entry(at+"/"+entry.Name, entry, child)
		changed = changed || after != entry
		if after.Mode != filemode.Empty {
			next = append(next, after)
		}
		return err
	}
	for _, entry := range old {
		child, touched := left[entry.Name]
		if !touched {
			next = append(next, entry)
			continue
		}
		delete(left, entry.Name)
		if err := edited(entry, child); err != nil {
			return plumbing.ZeroHash, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		if err := edited(object.TreeEntry{Name: name}, left[name]); err != nil {
			return plumbing.ZeroHash, err
		}
	}
	if !changed {
		return was, nil
	}
	return r.tree(next), nil
}

// entry returns one entry of a tree after the edit. Mode Empty means that there is no entry.
func (r rewriter) entry(at string, old object.TreeEntry, e *edit) (object.TreeEntry, error) {
	if e.blob != nil {
		return r.file(at, old, e)
	}
	if e.remove && isFile(old) {
		old = object.TreeEntry{Name: old.Name}
	}
	if old.Mode != filemode.Empty && old.Mode != filemode.Dir {
		if e.writes > 0 {
			return old, conflictAt(at, kindOf(old)+" is where a directory is needed")
		}
		return old, nil
	}
	return r.subdir(at, old, e)
}

func (r rewriter) subdir(at string, old object.TreeEntry, e *edit) (object.TreeEntry, error) {
	hash, err := r.dir(at, old.Hash, e)
	switch {
	case err != nil || hash == old.Hash:
		return old, err
	case hash.IsZero():
		return object.TreeEntry{Name: old.Name}, nil
	}
	return object.TreeEntry{Name: old.Name, Mode: filemode.Dir, Hash: hash}, nil
}

// file returns the entry of a file in place of old. A file that exists keeps its mode.
func (r rewriter) file(at string, old object.TreeEntry, e *edit) (object.TreeEntry, error) {
	if old.Mode == filemode.Dir {
		var err error
		if old, err = r.subdir(at, old, e); err != nil {
			return old, err
		}
	}
	entry := object.TreeEntry{Name: old.Name, Mode: filemode.Regular, Hash: e.blob.Hash()}
	switch {
	case isFile(old):
		entry.Mode = old.Mode
	case old.Mode != filemode.Empty:
		return old, conflictAt(at, kindOf(old)+" is where a file is needed")
	}
	if entry != old {
		r.made[entry.Hash] = e.blob
	}
	return entry, nil
}

// tree returns the hash of a new tree object with these entries, or zero if there are none.
func (r rewriter) tree(entries []object.TreeEntry) plumbing.Hash {
	if len(entries) == 0 {
		return plumbing.ZeroHash
	}
	slices.SortFunc(entries, gitOrder)
	var content []byte
	for _, entry := range entries {
		content = strconv.AppendUint(content, uint64(entry.Mode), 8)
		content = append(content, ' ')
		content = append(content, entry.Name...)
		content = append(content, 0)
		content = append(content, entry.Hash[:]...)
	}
	return r.keep(encode(plumbing.TreeObject, content))
}

func (r rewriter) keep(made plumbing.EncodedObject) plumbing.Hash {
	hash := made.Hash()
	r.made[hash] = made
	return hash
}

// gitOrder compares two entries of a tree in git's order: by name, where the name of a directory
// ends in a slash.
func gitOrder(a, b object.TreeEntry) int {
	n := min(len(a.Name), len(b.Name))
	if c := cmp.Compare(a.Name[:n], b.Name[:n]); c != 0 {
		return c
	}
	return cmp.Compare(sortByte(a, n), sortByte(b, n))
}

func sortByte(entry object.TreeEntry, i int) byte {
	switch {
	case i < len(entry.Name):
		return entry.Name[i]
	case entry.Mode == filemode.Dir:
		return '/'
	}
	return 0
}

func encode(kind plumbing.ObjectType, content []byte) plumbing.EncodedObject {
	made := &plumbing.MemoryObject{}
	made.SetType(kind)
	made.Write(content) //nolint:errcheck // writing to memory never fails
	made.Hash()         // computes the hash once, so that concurrent calls only read it
	return made
}

type conflict struct {
	at  tree.Path
	why string
}

func (c conflict) Error() string { return fmt.Sprintf("%s: %s", c.at, c.why) }

func conflictAt(at, why string) error {
	path, err := tree.ParsePath(at[1:])
	if err != nil {
		return fmt.Errorf("%s: %s", at[1:], why)
	}
	return conflict{at: path, why: why}
}

type noDirectory struct {
	path tree.Path
	name string
}

func (e noDirectory) Error() string { return fmt.Sprintf("%s: %q is not a directory", e.path, e.name) }

func kindOf(entry object.TreeEntry) string {
	switch entry.Mode {
	case filemode.Dir:
		return "a directory"
	case filemode.Symlink:
		return "a symlink"
	case filemode.Submodule:
		return "a submodule"
	}
	return "a file"
}
