// Package statestore turns two states of a store, the wanted one and the
// stored one, into the changes between them, and says what a store that takes
// such changes must do. The package itself does no I/O; the stores below it do.
package statestore

import (
	"context"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// Revision names one state of a store: a commit's hash, a version, or nothing
// for a store that was never written.
type Revision string

// Sum identifies a content within one store: equal sums mean equal bytes. Only
// sums that the same store made can be compared.
type Sum [32]byte

// Store is a place from which Flux or Argo CD pulls. It holds files below the
// path that its GitStateStore or BucketStateStore names; every path here is
// relative to that one.
type Store interface {
	// Read returns the newest state. A store nothing was written to yet is an
	// empty State, no error.
	Read(ctx context.Context) (State, error)
	// Apply makes all changes or none, and returns the revision that holds them.
	// A store that can only make one after the other names what it leaves
	// half done in State.Unfinished. When the store is no longer at changes.Base
	// it fails with ErrStale and has written nothing. An empty ChangeSet writes
	// nothing and returns Base. When it fails with ErrContentRefused it holds what
	// it held at Base; a store that is at another revision then returns that one.
	Apply(ctx context.Context, changes ChangeSet) (Revision, error)
}

// Prober is a store that can report whether it could be written.
type Prober interface {
	// Probe fails as a write would, and leaves nothing behind.
	Probe(ctx context.Context) error
}

// State is what a store held when it was read.
type State struct {
	Revision Revision
	// Files are all paths, each with the sum of its content.
	Files Files
	// Obstacles are what else lies there and is in the way of files.
	Obstacles Obstacles
	// Contents returns what lies behind the digests.
	Contents Contents
	// Unfinished are the files, sorted, that an Apply which was cut short may
	// have put there or may have had to remove: they are this program's own even
	// where no record says so. Only stores whose Apply is not one step have any.
	Unfinished []tree.Path
	// InHand means that the store is not like this yet, but will be once a write
	// that goes on has ended.
	InHand bool
	// Stepwise means that what is wanted of several placements is not written at once
	// but by somebody else, one placement after the other, in any order. What a
	// placement does not want any more counts for all others until it is gone.
	Stepwise bool
	// Outgoing are files, sorted by path, as the store still has them where Files has
	// what takes their place, and parts of joined files that are of no record. Only a
	// Stepwise state has any.
	Outgoing []Outgoing
	// Whose returns the object, as kratix.Describe names it, that somebody else writes
	// the file at a path from; "" if it is not known. nil knows of none.
	Whose func(path tree.Path) string
	// Refused is why the last write came to nothing, if it ended with
	// ErrContentRefused after its caller had got ErrPending; nil otherwise.
	Refused error
	// Warnings are what works but is doubtful about the store, such as a
	// certificate that is not verified. They are there even beside an error.
	Warnings []string
}

// Outgoing is a file that somebody else writes, and that a state does not have as it is
// written.
type Outgoing struct {
	tree.File
	// Object is what it is written from, as kratix.Describe names it; "" if it is not
	// known.
	Object string
	// Stays means that it is not on its way out: it is a part of a joined file, of no
	// record.
	Stays bool
}

// Contents computes sums as a store does and fetches contents on demand. It
// stays valid for its State when the store moves on.
type Contents interface {
	Sum(content []byte) Sum
	Content(ctx context.Context, p tree.Path) ([]byte, error)
}

// ChangeSet is the difference between a stored and a wanted state.
type ChangeSet struct {
	// Base is the revision the difference was computed from.
	Base Revision
	// Write holds files to add or replace, in walk order.
	Write []tree.File
	// Remove holds paths to remove, in walk order. Removing what is not there
	// is no error.
	Remove []tree.Path
	// Unfinished are those of the State's that nobody wants now and that may not
	// be removed now either. The store keeps them in mind for the next Read.
	Unfinished []tree.Path
	// Placements says which placements are behind the changes; a git store
	// puts them into the commit's message.
	Placements []PlacementChange
	// Divisible marks changes that the caller divides when they are refused for
	// their content: such a refusal is an answer, and no failure of the store.
	Divisible bool
}

// Empty reports whether there is nothing to do.
func (c ChangeSet) Empty() bool { return len(c.Write) == 0 && len(c.Remove) == 0 }

// Part is what is to be changed in one of several stores.
type Part struct {
	Store   Store
	Changes ChangeSet
}

// Outcome is what became of a Part.
type Outcome struct {
	// Revision holds the changes, when Err is nil.
	Revision Revision
	Err      error
}

// Action says what happens to a placement in a ChangeSet.
type Action string

// The actions, in the words of a commit's message.
const (
	Place  Action = "Place"
	Update Action = "Update"
	Remove Action = "Remove"
)

// PlacementChange is one placement behind a ChangeSet.
type PlacementChange struct {
	Action Action
	// Work is "namespace/name".
	Work        string
	Destination string
}
