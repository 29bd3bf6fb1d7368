package git

import (
	"fmt"
	"io"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// objects stores git objects by hash, in memory and in a file. One writer may add objects while
// others read.
type objects struct {
	mu     sync.RWMutex
	byHash map[plumbing.Hash]position
	grown  growth // the added objects that count for tidy
	limit  int64  // maximum number of bytes in memory if there is a file
	memory *log
	spill  *log // the file; nil until it is needed
	// partial means that blobs may be missing, and are fetched when they are read.
	partial bool
}

// growth is the number and the size of added objects.
type growth struct {
	objects int
	bytes   int64
}

func newObjects() *objects {
	return &objects{byHash: map[plumbing.Hash]position{}, limit: maxInMemory, memory: &log{bytes: &pages{}}}
}

type missing struct{ hash plumbing.Hash }

func (m missing) Error() string { return "the server did not send object " + m.hash.String() }

func (o *objects) len() int { return len(o.byHash) }

func (o *objects) bytes() int64 {
	if o.spill == nil {
		return o.memory.end
	}
	return o.memory.end + o.spill.end
}

func (o *objects) find(hash plumbing.Hash) (position, bool) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	at, ok := o.byHash[hash]
	return at, ok
}

func (o *objects) has(hash plumbing.Hash) bool {
	_, ok := o.find(hash)
	return ok
}

func (o *objects) get(hash plumbing.Hash) (plumbing.EncodedObject, error) {
	at, ok := o.find(hash)
	switch offset, spilled := at.split(); {
	case !ok:
		return nil, missing{hash}
	case spilled:
		return o.spill.read(hash, offset)
	default:
		return o.memory.read(hash, offset)
	}
}

// check returns an error if a blob is missing and cannot be fetched later.
func (o *objects) check(blob plumbing.Hash) error {
	if o.partial || o.has(blob) {
		return nil
	}
	return missing{blob}
}

func (o *objects) add(more map[plumbing.Hash]plumbing.EncodedObject) error {
	for _, one := range more {
		if err := o.put(one); err != nil {
			return err
		}
	}
	return nil
}

func (o *objects) put(one plumbing.EncodedObject) error {
	if o.has(one.Hash()) {
		return nil
	}
	_, err := o.write(one.Type(), one.Size(), func(to io.Writer) error { return copyContent(to, one) }, one.Hash)
	return err
}

// receive adds an object of the given size, and returns its hash. It calls read to get the content.
func (o *objects) receive(kind plumbing.ObjectType, size int64, read func(io.Writer) error) (plumbing.Hash, error) {
	hasher := plumbing.NewHasher(kind, size)
	return o.write(kind, size, func(to io.Writer) error { return read(io.MultiWriter(hasher, to)) }, hasher.Sum)
}

// write stores an object in memory or in the file. It calls hash after read. The caller must hold
// the branch's token.
func (o *objects) write(kind plumbing.ObjectType, size int64, read func(io.Writer) error, hash func() plumbing.Hash) (plumbing.Hash, error) {
	to, spilled := o.room(size)
	end, err := to.write(kind, size, read)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	name := hash()
	if o.has(name) {
		return name, nil // the next object overwrites this one
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.byHash[name] = positionAt(to.end, spilled)
	o.grown.objects++
	o.grown.bytes += end - to.end
	to.end = end
	return name, nil
}

// room returns the log for an object of the given size, and whether it is the file.
func (o *objects) room(size int64) (to *log, spilled bool) {
	if o.memory.end+maxHeader+size <= o.limit {
		return o.memory, false
	}
	if o.spill == nil {
		o.spill = newSpill()
	}
	if o.spill == nil {
		return o.memory, false
	}
	return o.spill, true
}

func copyContent(to io.Writer, one plumbing.EncodedObject) error {
	reader, err := one.Reader()
	if err != nil {
		return err
	}
	defer reader.Close()
	_, err = io.Copy(to, reader)
	return err
}

func (o *objects) content(hash plumbing.Hash) ([]byte, error) {
	blob, err := o.get(hash)
	if err != nil {
		return nil, err
	}
	return bytesOf(blob)
}

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

// root returns the hash of a commit's tree. For the zero commit, it returns the zero hash.
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

// entries returns the entries of a tree. The zero hash is a tree without entries.
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

// reachable returns new objects with a commit, its trees and, unless o is partial, its blobs.
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
	kept.grown = growth{}
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
	if kept.has(hash) {
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
