// Package statestore turns the stored and the wanted state of a store into a [ChangeSet] ([Diff]),
// and writes the ChangeSets of many stores ([Commit]). It defines what a [Store], a [Location] of
// several stores and an [Opener] must do, and the kinds of errors that they return. The package
// itself does no I/O; the stores in the packages below it do.
package statestore

import (
	"context"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// Revision identifies one state of a store: a commit's hash or a version. It is empty for a
// store that was never written.
type Revision string

// Digest is a digest of content within one store: equal digests mean equal bytes. Only digests of
// the same store can be compared.
type Digest [32]byte

// Store is a repository or bucket from which Flux or Argo CD pulls. It holds the files below the
// path that its GitStateStore or BucketStateStore names; every path in this package is relative to
// that path.
type Store interface {
	// Read returns the newest state. A store that was never written has an empty State,
	// which is not an error.
	Read(ctx context.Context) (State, error)
	// Apply makes all changes or none, and returns the revision that contains them. A store that
	// can only write files one by one lists the files of an interrupted Apply in State.Unfinished.
	// If the store is no longer at changes.Base, Apply fails with ErrStale and writes nothing. An
	// empty ChangeSet writes nothing and returns Base. If Apply fails with ErrContentRefused, the
	// store holds the same files as at Base; if its revision has changed nevertheless, Apply
	// returns the new one.
	Apply(ctx context.Context, changes ChangeSet) (Revision, error)
}

// Prober is a store that can check whether a write would succeed.
type Prober interface {
	// Probe fails if a write would fail, and leaves the store unchanged.
	Probe(ctx context.Context) error
}

// Historian is a store that can read earlier states.
type Historian interface {
	// At returns the state at an earlier revision. It fails with ErrUnknownRevision if there is
	// no such revision, or if the server does not send it.
	At(ctx context.Context, revision Revision) (State, error)
}

// At returns the state of a store at an earlier revision. It fails with ErrUnknownRevision if the
// store cannot read it.
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
	// directory; "" if it cannot be computed. It is nil if that revision always equals the field
	// Revision.
	Artifact func(dir tree.Path) string
	// Files are all files, each with the digest of its content.
	Files Files
	// Obstacles are the entries that are not files and that prevent files from being
	// written.
	Obstacles Obstacles
	// Contents returns the contents of Files.
	Contents Contents
	// Unfinished are the files, sorted, that an interrupted Apply may have written or may
	// have had to remove. They were written by this program even if no record lists them.
	// Only stores whose Apply is not atomic have any.
	Unfinished []tree.Path
	// WriteInProgress is true while a write is in progress: the store will be in this state once the
	// write has finished.
	WriteInProgress bool
	// Stepwise means that the files of several placements are not written in one step but by
	// another writer, one placement after the other, in any order. A file that a placement no
	// longer needs blocks all others until it is removed.
	Stepwise bool
	// Outgoing are files, sorted by path, that the store still has although Files already
	// contains their replacements, and parts of joined files that no record lists. Only a
	// Stepwise state has any.
	Outgoing []Outgoing
	// WrittenBy returns the object, in the form of kratix.Describe, from which another writer
	// writes the file at a path; "" if it is unknown. If WrittenBy is nil, no such object is
	// known.
	WrittenBy func(path tree.Path) string
	// Refused is the error of the last write, if it failed with ErrContentRefused after
	// Apply had already returned ErrPending; nil otherwise.
	Refused error
	// Warnings are problems that do not stop the store from working, such as a certificate
	// that is not verified. They are set even if Read returns an error.
	Warnings []string
}

// Outgoing is a file that another writer writes, with a content that differs from the one in
// the State.
type Outgoing struct {
	tree.File
	// Object is the object that the file is written from, in the form of kratix.Describe;
	// "" if it is unknown.
	Object string
	// Stays means that the file will not be removed: it is a part of a joined file and no
	// record lists it.
	Stays bool
}

// Contents computes digests as its store does and fetches contents on demand. It remains
// valid for its State after the store has changed.
type Contents interface {
	Digest(content []byte) Digest
	Content(ctx context.Context, p tree.Path) ([]byte, error)
}

// ChangeSet is the difference between a stored and a wanted state.
type ChangeSet struct {
	// Base is the revision the difference was computed from.
	Base Revision
	// Write holds files to add or replace, in walk order.
	Write []tree.File
	// Remove holds paths to remove, in walk order. A path that does not exist is not an
	// error.
	Remove []tree.Path
	// Unfinished are the files of State.Unfinished that no placement asks for but that must
	// not be removed yet. The store keeps them unfinished for the next Read.
	Unfinished []tree.Path
	// Placements are the placements that caused the changes; a git store lists them in the
	// commit message.
	Placements []PlacementChange
	// Divisible means that the caller splits the changes and retries if their content is
	// rejected, so that ErrContentRefused does not count as a failure of the store.
	Divisible bool
}

// Empty reports whether there are no changes.
func (c ChangeSet) Empty() bool { return len(c.Write) == 0 && len(c.Remove) == 0 }

// StoreChanges holds the changes of one of several stores.
type StoreChanges struct {
	Store   Store
	Changes ChangeSet
}

// Outcome is the result of writing a StoreChanges.
type Outcome struct {
	// Revision contains the changes, if Err is nil.
	Revision Revision
	Err      error
}

// Action is the effect of a ChangeSet on a placement.
type Action string

// The actions, as they are written in commit messages.
const (
	Place  Action = "Place"
	Update Action = "Update"
	Remove Action = "Remove"
	// RollBack restores the files that the agent of the Destination last applied.
	RollBack Action = "Roll back"
)

// PlacementChange is one placement that caused a ChangeSet.
type PlacementChange struct {
	Action Action
	// Work is the Work's "namespace/name".
	Work        string
	Destination string
	// Promise is the name of the Work's Promise; Resource is the "namespace/name" of its
	// request, empty for a dependency.
	Promise, Resource string
	// Labels and Annotations are the Work's labels and annotations. They are nil for a placement
	// whose Work is gone, and must not be modified.
	Labels, Annotations map[string]string
	// Because is the reason for a RollBack.
	Because string
}
