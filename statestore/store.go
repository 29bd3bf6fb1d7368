// Package statestore compares the stored and the wanted files of a store ([Diff]), and writes the
// differences of many stores ([Commit]). It defines the interfaces [Store], [Location] and
// [Opener]. The package itself does no I/O. The stores in its subpackages do.
package statestore

import (
	"context"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// Revision identifies one state of a store, such as the hash of a commit. It is empty if nothing
// was written yet.
type Revision string

// Digest is a digest of a content. Digests of different stores cannot be compared.
type Digest [32]byte

// Store is a directory, such as in a git repository or a bucket, from which Flux or Argo CD applies
// objects. Paths are relative to the path in the spec of the state store.
type Store interface {
	// Read returns the newest state. If the store was never written, the state is empty.
	Read(ctx context.Context) (State, error)
	// Apply makes the changes, and returns the revision with them. It returns ErrStale if the files
	// may have changed since changes.Base. For an empty ChangeSet, it writes nothing and returns
	// Base. If it returns ErrContentRefused, the store has the same files as before, and the
	// revision is set if it has changed.
	Apply(ctx context.Context, changes ChangeSet) (Revision, error)
}

// Prober is a store that can check whether a write would succeed.
type Prober interface {
	// Probe returns an error if it finds that a write would fail. It does not change the store.
	Probe(ctx context.Context) error
}

// Historian is a store that can read earlier states.
type Historian interface {
	// At returns the state at an earlier revision. It returns ErrUnknownRevision if the store
	// cannot read the revision.
	At(ctx context.Context, revision Revision) (State, error)
}

// At returns the state of a store at an earlier revision. It returns ErrUnknownRevision if the
// store cannot read the revision.
func At(ctx context.Context, store Store, revision Revision) (State, error) {
	if historian, ok := ViewOf("", store).Store.(Historian); ok {
		return historian.At(ctx, revision)
	}
	return State{}, ErrUnknownRevision
}

// HasHistory reports whether a store can read earlier states.
func HasHistory(store Store) bool {
	_, has := ViewOf("", store).Store.(Historian)
	return has
}

// State is the content of a store when it was read.
type State struct {
	Revision Revision
	// Artifact returns the revision that Flux computes for a source with the files below a
	// directory, or "" if it is unknown. Artifact is nil if Flux derives that revision from the
	// field Revision.
	Artifact func(dir tree.Path) string
	// Files are all files, with the digests of their contents.
	Files Files
	// Obstacles are the entries that are neither files nor directories.
	Obstacles Obstacles
	// Contents returns the contents of Files.
	Contents Contents
	// Unfinished are the files that an interrupted Apply may have written, or may not have removed
	// yet, sorted. They may be missing from the records.
	Unfinished []tree.Path
	// WriteInProgress means that a write is in progress. The store will be in this State if the
	// write succeeds.
	WriteInProgress bool
	// Stepwise means that another writer writes the files, one placement after the other and in any
	// order.
	Stepwise bool
	// Outgoing are the outgoing files, and the parts of joined files that no record lists, sorted
	// by path.
	Outgoing []Outgoing
	// WrittenBy returns the object from which another writer writes the file at a path, in the form
	// of kratix.Describe, or "" if it is unknown. WrittenBy may be nil.
	WrittenBy func(path tree.Path) string
	// Refused is the error of the last write if it failed with ErrContentRefused after Apply had
	// returned ErrPending. Otherwise it is nil.
	Refused error
	// Warnings are problems with which the store can still work. They may be set even if Read
	// returns an error.
	Warnings []string
}

// Outgoing is a file that another writer has written, with its present content. The writer will
// replace or remove it, unless Stays is set.
type Outgoing struct {
	tree.File
	// Object is the object from which the file is written, in the form of kratix.Describe, or "" if
	// it is unknown.
	Object string
	// Stays means that the file will not be removed, because it is a part of a joined file that no
	// record lists.
	Stays bool
}

// Contents computes digests as its store does, and returns the contents of files. After the store
// has changed, Content returns the old content of a file, or ErrStale.
type Contents interface {
	Digest(content []byte) Digest
	Content(ctx context.Context, p tree.Path) ([]byte, error)
}

// ChangeSet is the difference between the stored and the wanted files.
type ChangeSet struct {
	// Base is the revision of the stored files.
	Base Revision
	// Write has the files to add or replace, in walk order.
	Write []tree.File
	// Remove has the paths of the files to remove, in walk order. It is not an error if a file does
	// not exist.
	Remove []tree.Path
	// Unfinished are those files of State.Unfinished that are not wanted, but must not be removed
	// yet.
	Unfinished []tree.Path
	// Placements are the placements that have caused the changes.
	Placements []PlacementChange
	// InUse are earlier revisions that agents have applied last. The store keeps them.
	InUse []Revision
	// Divisible means that the caller divides the changes and tries again after ErrContentRefused.
	Divisible bool
}

// Empty reports whether there is nothing to write and nothing to remove.
func (c ChangeSet) Empty() bool { return len(c.Write) == 0 && len(c.Remove) == 0 }

// StoreChanges are the changes for one store.
type StoreChanges struct {
	Store   Store
	Changes ChangeSet
}

// Outcome is the result of the changes in one store.
type Outcome struct {
	// Revision and Err are as Store.Apply returns them.
	Revision Revision
	Err      error
}

// Action is the effect of a ChangeSet on a placement.
type Action string

// These are the actions, in the words of commit messages.
const (
	Place  Action = "Place"
	Update Action = "Update"
	Remove Action = "Remove"
	// RollBack restores the files of the placement that the agent has applied last.
	RollBack Action = "Roll back"
)

// PlacementChange is a placement that has caused a ChangeSet.
type PlacementChange struct {
	Action Action
	// Work is the "namespace/name" of the Work.
	Work        string
	Destination string
	// Promise is the name of the Work's Promise. Resource is the "namespace/name" of its request,
	// and empty for a dependency.
	Promise, Resource string
	// Labels and Annotations are those of the Work, or nil if the Work no longer exists. They must
	// not be modified.
	Labels, Annotations map[string]string
	// Because is the reason for a RollBack.
	Because string
}
