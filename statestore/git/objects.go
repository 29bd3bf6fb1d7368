package git

import (
	"fmt"
	"io"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// objects holds git objects by hash. States read from it while the store adds
// to it.
type objects struct {
	mu     sync.RWMutex
	byHash map[plumbing.Hash]plumbing.EncodedObject
	added  int   // since the set was made
	held   int64 // bytes of blobs in memory
	limit  int64 // of held; beyond it blobs go to a file
	spill  *spill
	// partial says that blobs may be missing, to be asked for when they are read.
	partial bool
}

func newObjects() *objects {
	return &objects{byHash: map[plumbing.Hash]plumbing.EncodedObject{}, limit: maxHeld}
}

// missing is the error for an object that should be there.
type missing struct{ hash plumbing.Hash }

func (m missing) Error() string { return "the server did not send object " + m.hash.String() }

func (o *objects) get(hash plumbing.Hash) (plumbing.EncodedObject, error) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	found, ok := o.byHash[hash]
	if !ok {
		return nil, missing{hash}
	}
	return found, nil
}

// check tells whether a blob is there, or may be asked for.
func (o *objects) check(blob plumbing.Hash) error {
	if o.partial {
		return nil
	}
	_, err := o.get(blob)
	return err
}

func (o *objects) add(more map[plumbing.Hash]plumbing.EncodedObject) error {
	for _, one := range more {
		if err := o.put(one); err != nil {
			return err
		}
	}
	return nil
}

// put adds one object; a blob that memory has no room for goes to a file.
func (o *objects) put(one plumbing.EncodedObject) error {
	if _, err := o.get(one.Hash()); err == nil {
		return nil
	}
	if one.Type() == plumbing.BlobObject && o.spills(one.Size()) {
		_, err := o.toFile(one.Size(), func(to io.Writer) error { return copyContent(to, one) })
		return err
	}
	o.keep(one)
	return nil
}

// receive adds the object of that many bytes that read gives.
func (o *objects) receive(kind plumbing.ObjectType, size int64, read func(io.Writer) error) (plumbing.Hash, error) {
	if kind == plumbing.BlobObject && o.spills(size) {
		return o.toFile(size, read)
	}
	one := &plumbing.MemoryObject{}
	one.SetType(kind)
	if err := read(one); err != nil {
		return plumbing.ZeroHash, err
	}
	hash := one.Hash() // computed once, here: later calls only read
	if _, err := o.get(hash); err != nil {
		o.keep(one)
	}
	return hash, nil
}

// spills tells whether memory has no room for a blob, and there is a file.
func (o *objects) spills(size int64) bool {
	if o.held+size <= o.limit {
		return false
	}
	if o.spill == nil {
		o.spill = newSpill()
	}
	return o.spill != nil
}

// toFile puts a blob's content into the file.
func (o *objects) toFile(size int64, read func(io.Writer) error) (plumbing.Hash, error) {
	moved, err := o.spill.put(size, read)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	o.keep(moved)
	return moved.Hash(), nil
}

// keep remembers an object. Only who has the branch's turn adds any.
func (o *objects) keep(one plumbing.EncodedObject) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if one, inMemory := one.(*plumbing.MemoryObject); inMemory && one.Type() == plumbing.BlobObject {
		o.held += one.Size()
	}
	o.byHash[one.Hash()] = one
	o.added++
}

// copyContent writes an object's content.
func copyContent(to io.Writer, one plumbing.EncodedObject) error {
	reader, err := one.Reader()
	if err != nil {
		return err
	}
	defer reader.Close()
	_, err = io.Copy(to, reader)
	return err
}

// content gives a copy of a blob's bytes.
func (o *objects) content(hash plumbing.Hash) ([]byte, error) {
	blob, err := o.get(hash)
	if err != nil {
		return nil, err
	}
	return bytesOf(blob)
}

// bytesOf gives a copy of an object's content.
func bytesOf(one plumbing.EncodedObject) ([]byte, error) {
	reader, err := one.Reader()
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	content := make([]byte, one.Size())
	_, err = io.ReadFull(reader, content)
	return content, err
}

// root gives the tree of a commit; no commit has no tree.
func (o *objects) root(commit plumbing.Hash) (plumbing.Hash, error) {
	if commit.IsZero() {
		return plumbing.ZeroHash, nil
	}
	encoded, err := o.get(commit)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	var decoded object.Commit
	if err := decoded.Decode(encoded); err != nil {
		return plumbing.ZeroHash, fmt.Errorf("commit %s: %w", commit, err)
	}
	return decoded.TreeHash, nil
}

// entries gives what a tree holds, in git's order; no tree holds nothing.
func (o *objects) entries(hash plumbing.Hash) ([]object.TreeEntry, error) {
	if hash.IsZero() {
		return nil, nil
	}
	encoded, err := o.get(hash)
	if err != nil {
		return nil, err
	}
	var decoded object.Tree
	if err := decoded.Decode(encoded); err != nil {
		return nil, fmt.Errorf("tree %s: %w", hash, err)
	}
	return decoded.Entries, nil
}

// reachable gives a new set with the commit and everything below it. Blobs that
// can be asked for again are left behind.
func (o *objects) reachable(commit plumbing.Hash) (*objects, error) {
	root, err := o.root(commit)
	if err != nil {
		return nil, err
	}
	kept := newObjects()
	kept.partial, kept.limit = o.partial, o.limit
	if err := o.copyTo(kept, commit); err != nil {
		return nil, err
	}
	err = o.copyTree(kept, root)
	kept.added = 0
	return kept, err
}

func (o *objects) copyTo(kept *objects, hash plumbing.Hash) error {
	one, err := o.get(hash)
	if err != nil {
		return err
	}
	return kept.put(one)
}

func (o *objects) copyTree(kept *objects, hash plumbing.Hash) error {
	if _, err := kept.get(hash); err == nil {
		return nil
	}
	entries, err := o.entries(hash)
	if err != nil {
		return err
	}
	if err := o.copyTo(kept, hash); err != nil {
		return err
	}
	for _, entry := range entries {
		switch {
		case entry.Mode == filemode.Submodule, entry.Mode != filemode.Dir && o.partial:
		case entry.Mode == filemode.Dir:
			err = o.copyTree(kept, entry.Hash)
		default:
			err = o.copyTo(kept, entry.Hash)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
