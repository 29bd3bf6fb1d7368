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
	added  int // since the set was made
}

func newObjects(held map[plumbing.Hash]plumbing.EncodedObject) *objects {
	if held == nil {
		held = map[plumbing.Hash]plumbing.EncodedObject{}
	}
	return &objects{byHash: held}
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

func (o *objects) add(more map[plumbing.Hash]plumbing.EncodedObject) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for hash, one := range more {
		o.byHash[hash] = one
	}
	o.added += len(more)
}

// content gives a copy of a blob's bytes.
func (o *objects) content(hash plumbing.Hash) ([]byte, error) {
	blob, err := o.get(hash)
	if err != nil {
		return nil, err
	}
	reader, err := blob.Reader()
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	content := make([]byte, blob.Size())
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

// reachable gives a new set with the commit and everything below it.
func (o *objects) reachable(commit plumbing.Hash) (*objects, error) {
	root, err := o.root(commit)
	if err != nil {
		return nil, err
	}
	kept := map[plumbing.Hash]plumbing.EncodedObject{}
	if kept[commit], err = o.get(commit); err != nil {
		return nil, err
	}
	return newObjects(kept), o.copyTree(kept, root)
}

func (o *objects) copyTree(kept map[plumbing.Hash]plumbing.EncodedObject, hash plumbing.Hash) error {
	if _, done := kept[hash]; done {
		return nil
	}
	entries, err := o.entries(hash)
	if err != nil {
		return err
	}
	if kept[hash], err = o.get(hash); err != nil {
		return err
	}
	for _, entry := range entries {
		switch {
		case entry.Mode == filemode.Submodule:
		case entry.Mode == filemode.Dir:
			err = o.copyTree(kept, entry.Hash)
		default:
			kept[entry.Hash], err = o.get(entry.Hash)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
