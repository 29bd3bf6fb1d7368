// Package source turns the outside into a Snapshot: the Works, Destinations
// and stores there are, and what could not be read. The package itself does no
// I/O; the sources below it do.
package source

import (
	"context"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// Source is where Works and Destinations come from.
type Source interface {
	// Snapshot returns everything there is now. An error means that nothing can
	// be said; what could be read in part is in the Snapshot's findings.
	Snapshot(ctx context.Context) (Snapshot, error)
	// Changes says "look again", until ctx ends; then the channel is closed.
	Changes(ctx context.Context) (<-chan struct{}, error)
}

// Snapshot is everything a source has at one moment, in a stable order. Its
// objects and slices are shared with other snapshots: they must not be changed.
// Appending to a slice copies it.
type Snapshot struct {
	Works             []*kratix.Work
	Destinations      []*kratix.Destination
	GitStateStores    []*kratix.GitStateStore
	BucketStateStores []*kratix.BucketStateStore
	Secrets           []*kratix.Secret
	// Existing are the placements that the source itself remembers. The records
	// in the stores are beside them; a source without a memory has none.
	Existing []*kratix.WorkPlacement
	// WorkPlacements and Promises take part in checks only.
	WorkPlacements []*kratix.WorkPlacement
	Promises       []*kratix.Promise
	// Marked are the files that have a comment for this program.
	Marked []File
	// Origins says where each object was read.
	Origins Origins
	// Findings is what is wrong with the input.
	Findings []finding.Finding
	// Rejected are Works that are there and cannot be used: what is placed of
	// them stays as it is.
	Rejected []kratix.Key
	// RejectedPlacements are WorkPlacements, sorted, that are there and cannot be used:
	// what is placed by their names stays as it is.
	RejectedPlacements []kratix.Key
	// Incomplete means that something could not be read at all, so that a Work
	// which is not here may still exist.
	Incomplete bool
	// Empty are the names, sorted, of the files without content. They make the
	// snapshot incomplete: such a file may have been cut off.
	Empty []string
	// Settling means that the source has been watched for a shorter time than a
	// removal must last, so that a Work which is not here may still come.
	Settling bool
	// Missing counts the objects that are missing for a shorter time than a removal
	// must last, and count as there.
	Missing int
	// FromAPI means that the Kubernetes API gave the objects: a Work that is here
	// has all of its groups.
	FromAPI bool
	// Deleted are Works, sorted, that the Kubernetes API said are deleted.
	Deleted []kratix.Key
	// DeletedPlacements are WorkPlacements, sorted, that the Kubernetes API said are
	// deleted, where Kratix makes them.
	DeletedPlacements []kratix.Key
	// Assigned means that somebody else has decided where each Work goes: what is
	// placed of it says nothing of where it is to be. Two Works may have one name then.
	Assigned bool
	// Assignments are the WorkPlacements, sorted, by which Works are Assigned.
	Assignments []kratix.Key
	// Unwritten are Destinations that are there, though nothing is placed on them, and
	// whose files are not to be touched; findings say why.
	Unwritten []*kratix.Destination
	// Orphans are WorkPlacements, sorted, whose Work is gone and that nobody deletes.
	Orphans []kratix.Key
	// Unseen means that something which could not be read is, or may be, a
	// Destination, so that requests may be where nobody looks.
	Unseen bool
}
