package git

import (
	"context"
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// view is the store's directory at one commit. It must not be modified once a State refers to it.
type view struct {
	commit    plumbing.Hash
	dir       plumbing.Hash // the tree at the store's path
	objects   *objects
	files     statestore.Files
	obstacles statestore.Obstacles
	// attributes are the sorted paths of the .gitattributes files in subdirectories.
	attributes []tree.Path
	read       bool   // whether files is valid
	store      *Store // fetches missing blobs
	ahead      *prefetched
}

func (v view) state() statestore.State {
	return statestore.State{Revision: revision(v.commit), Files: v.files, Obstacles: v.obstacles, Contents: v}
}

func (view) Digest(content []byte) statestore.Digest {
	return digestOfBlob(plumbing.ComputeHash(plumbing.BlobObject, content))
}

func (v view) Content(ctx context.Context, p tree.Path) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	known, ok := v.files.Digest(p)
	if !ok {
		return nil, fmt.Errorf("no file %s", p)
	}
	content, err := v.objects.content(blobOf(known))
	if !isMissing(err) || !v.objects.partial {
		return content, err
	}
	if err := v.store.fetchBlobs(ctx, v.commit, v.objects, v.ahead.wants(p, v.files, v.objects)); err != nil {
		return nil, v.store.failure("read", err)
	}
	return v.objects.content(blobOf(known))
}

func blobOf(known statestore.Digest) plumbing.Hash {
	return plumbing.Hash(known[:len(plumbing.Hash{})])
}

func digestOfBlob(blob plumbing.Hash) (s statestore.Digest) {
	copy(s[:], blob[:])
	return s
}

func (s *Store) updateView() error {
	if s.seen.read && s.seen.commit == s.head && s.seen.objects == s.objects {
		return nil
	}
	dir, err := s.directory()
	if err != nil {
		return err
	}
	next := view{
		commit: s.head, dir: dir, objects: s.objects, files: s.seen.files, obstacles: s.seen.obstacles,
		attributes: s.seen.attributes, read: true, store: s, ahead: s.seen.ahead,
	}
	if !s.seen.read || dir != s.seen.dir {
		w := walk{was: s.seen.objects, is: s.objects}
		if err := w.differ(tree.Path{}, s.seen.dir, dir); err != nil {
			return err
		}
		next.attributes = attributesAfter(s.seen.attributes, w.changes)
		next.files, next.obstacles, next.ahead = s.seen.files.With(w.changes), s.seen.obstacles.With(w.obstacles), &prefetched{}
	}
	s.seen = next
	return nil
}

func (s *Store) directory() (plumbing.Hash, error) { return s.directoryAt(s.objects, s.head) }

// directoryAt returns the hash of the tree at the store's path in a commit, or zero if there is
// none.
func (s *Store) directoryAt(held *objects, commit plumbing.Hash) (plumbing.Hash, error) {
	dir, err := held.root(commit)
	first, rest := "", s.path
	for err == nil && !rest.IsRoot() && !dir.IsZero() {
		first, rest = rest.Cut()
		dir, err = s.subdirectory(held, dir, first)
	}
	return dir, err
}

func (s *Store) subdirectory(held *objects, dir plumbing.Hash, name string) (plumbing.Hash, error) {
	entries, err := held.entries(dir)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	for _, entry := range entries {
		switch {
		case entry.Name != name:
		case entry.Mode == filemode.Dir:
			return entry.Hash, nil
		default:
			return plumbing.ZeroHash, noDirectory{s.path, name}
		}
	}
	return plumbing.ZeroHash, nil
}

type walk struct {
	was, is   *objects
	changes   []statestore.FileChange
	obstacles []statestore.Obstacle
}

// differ adds the changes between two versions of a directory.
func (w *walk) differ(at tree.Path, was, is plumbing.Hash) error {
	if was == is {
		return nil
	}
	old, err := entriesByName(w.was, was)
	if err != nil {
		return err
	}
	entries, err := w.is.entries(is)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		before := old[entry.Name]
		delete(old, entry.Name)
		if err := w.replace(at, before, entry); err != nil {
			return err
		}
	}
	for _, gone := range old {
		if err := w.replace(at, gone, object.TreeEntry{Name: gone.Name}); err != nil {
			return err
		}
	}
	return nil
}

// replace adds the changes from before to entry. Mode Empty means that there is no entry.
func (w *walk) replace(dir tree.Path, before, entry object.TreeEntry) error {
	below, ok := element(entry.Name)
	if !ok {
		return nil
	}
	at := dir.Join(below)
	if isFile(before) {
		w.changes = append(w.changes, statestore.FileChange{Path: at, Gone: true})
	}
	if isObstacle(before) {
		w.obstacles = append(w.obstacles, statestore.Obstacle{Path: at, Gone: true})
	}
	if isObstacle(entry) {
		w.obstacles = append(w.obstacles, statestore.Obstacle{Path: at, Kind: kindOf(entry)})
	}
	if before.Mode == filemode.Dir || entry.Mode == filemode.Dir {
		if err := w.differ(at, dirHash(before), dirHash(entry)); err != nil {
			return err
		}
	}
	if !isFile(entry) {
		return nil
	}
	w.changes = append(w.changes, statestore.FileChange{Path: at, Digest: digestOfBlob(entry.Hash)})
	return w.is.check(entry.Hash)
}

func entriesByName(held *objects, hash plumbing.Hash) (map[string]object.TreeEntry, error) {
	if hash.IsZero() {
		return nil, nil
	}
	entries, err := held.entries(hash)
	byName := make(map[string]object.TreeEntry, len(entries))
	for _, entry := range entries {
		byName[entry.Name] = entry
	}
	return byName, err
}

// element returns the name of a tree entry as a path, or false if the name is not valid in a path.
func element(name string) (tree.Path, bool) {
	if strings.Contains(name, "/") {
		return tree.Path{}, false
	}
	p, err := tree.ParsePath(name)
	return p, err == nil
}

func dirHash(entry object.TreeEntry) plumbing.Hash {
	if entry.Mode != filemode.Dir {
		return plumbing.ZeroHash
	}
	return entry.Hash
}

func isFile(entry object.TreeEntry) bool {
	switch entry.Mode {
	case filemode.Regular, filemode.Executable, filemode.Deprecated:
		return true
	}
	return false
}

// isObstacle reports whether an entry exists and is neither a file nor a directory.
func isObstacle(entry object.TreeEntry) bool {
	return entry.Mode != filemode.Empty && entry.Mode != filemode.Dir && !isFile(entry)
}
