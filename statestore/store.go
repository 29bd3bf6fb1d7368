// Package statestore compares the stored and the wanted files of a store ([Diff]), and writes the
// differences of many stores ([Commit]). It defines what a [Store], a [Location] of several stores
// and an [Opener] must do, and the kinds of errors that they return. The package itself does no
// I/O. The stores in its subpackages do.
package statestore

import (
	"context"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// Revision identifies one state of a store. In a git store, it is the hash of a commit. It is empty
// if nothing was written yet.
type Revision string

// Digest is a digest of a content. Within one store, equal digests mean equal bytes. Digests of
// different stores cannot be compared.
type Digest [32]byte

// Store is a git repository, a bucket, or an OCI repository from which Flux or Argo CD applies
// objects. All paths in this package are relative to the path in the spec of the state store.
type Store interface {
	// Read returns the newest state. If the store was never written, Read returns an empty State
	// and no error.
	Read(ctx context.Context) (State, error)
	// Apply makes all of the changes or none, and returns the revision with the changes. A store
	// that can only write one file after the other lists the files of an interrupted Apply in
	// State.Unfinished. If the files may have changed since changes.Base, Apply returns ErrStale.
	// For an empty ChangeSet, Apply writes nothing and returns Base. If Apply returns
	// ErrContentRefused, the store has the same files as at Base; if its revision has changed
	// nevertheless, Apply returns the new revision too.
	Apply(ctx context.Context, changes ChangeSet) (Revision, error)
}

// Prober is a store that can check whether a write would succeed.
type Prober interface {
	// Probe returns an error if it finds that a write would fail. It does not change the store.
	Probe(ctx context.Context) error
}

// Historian is a store that can read earlier states.
type Historian interface {
	// At returns the state at an earlier revision. It returns ErrUnknownRevision if there is no
	// such revision, or if the server does not send it.
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
	// directory. It returns "" if the revision cannot be computed. Artifact is nil if Flux derives
	// that revision from the field Revision.
	Artifact func(dir tree.Path) string
	// Files are all files, with the digests of their contents.
	Files Files
	// Obstacles are the entries that are neither files nor directories, and at which no file can be
	// written.
	Obstacles Obstacles
	// Contents returns the contents of Files.
	Contents Contents
	// Unfinished are the files that an interrupted Apply may have written, or may not have removed
	// yet, sorted. This program has written them, even if no record lists them. Only stores whose
	// Apply is not atomic have any.
	Unfinished []tree.Path
	// WriteInProgress means that a write is in progress. The store will be in this State if the
	// write succeeds.
	WriteInProgress bool
	// Stepwise means that another writer writes the files, one placement after the other and in any
	// order. Therefore a file that a placement no longer needs blocks other placements until it is
	// removed.
	Stepwise bool
	// Outgoing are the files that the store still has although another writer will replace or
	// remove them, and the parts of joined files that no record lists. They are sorted by path.
	// Only a Stepwise State has any.
	Outgoing []Outgoing
	// WrittenBy returns the object from which another writer writes the file at a path, in the form
	// of kratix.Describe. It returns "" if the object is unknown. WrittenBy may be nil.
	WrittenBy func(path tree.Path) string
	// Refused is the error of the last write, if Apply had returned ErrPending and the write then
	// failed with ErrContentRefused. Otherwise it is nil.
	Refused error
	// Warnings are problems with which the store can still work, such as a certificate that is not
	// verified. They are set even if Read returns an error.
	Warnings []string
}

// Outgoing is a file that the store still has, with its present content, and that another writer
// will replace or remove.
type Outgoing struct {
	tree.File
	// Object is the object from which the file is written, in the form of kratix.Describe, or "" if
	// it is unknown.
	Object string
	// Stays means that the file will not be removed, because it is a part of a joined file that no
	// record lists.
	Stays bool
}

// Contents computes digests as its store does, and returns the contents of files on demand. After
// the store has changed, Content returns the old content of a file, or ErrStale.
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
	// yet. They are also in State.Unfinished of the next Read.
	Unfinished []tree.Path
	// Placements are the placements that have caused the changes. A git store lists them in the
	// commit message.
	Placements []PlacementChange
	// InUse are earlier revisions that agents have applied last. A store that deletes old revisions
	// keeps them.
	InUse []Revision
	// Divisible means that the caller divides the changes and tries again if the store rejects
	// their content. ErrContentRefused then does not count as a failure of the store.
	Divisible bool
}

// Empty reports whether there is nothing to write and nothing to remove.
func (c ChangeSet) Empty() bool { return len(c.Write) == 0 && len(c.Remove) == 0 }

// StoreChanges has the changes for one store.
type StoreChanges struct {
	Store   Store
	Changes ChangeSet
}

// Outcome is the result of making the changes in one store.
type Outcome struct {
	// Revision is the revision with the changes. It is set if Err is nil.
	Revision Revision
	Err      error
}

// Action is the effect of a ChangeSet on a placement.
type Action string

// The actions, as commit messages name them.
const (
	Place  Action = "Place"
	Update Action = "Update"
	Remove Action = "Remove"
	// RollBack restores the last files of the placement that the agent of the Destination has
	// applied.
	RollBack Action = "Roll back"
)

// PlacementChange is one of the placements that have caused a ChangeSet.
type PlacementChange struct {
	Action Action
	// Work is the "namespace/name" of the Work.
	Work        string
	Destination string
	// Promise is the name of the Work's Promise. Resource is the "namespace/name" of its request,
	// and empty for a dependency.
	Promise, Resource string
	// Labels and Annotations are those of the Work. They are nil if the Work no longer exists. They
	// must not be modified.
	Labels, Annotations map[string]string
	// Because is the reason for a RollBack.
	Because string
}
