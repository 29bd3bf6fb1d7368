// Package source turns files of YAML into a [Snapshot] of the input: Works, Destinations and state
// stores, with findings about everything that could not be read. [Collect] parses all files, and a
// [Collection] only the changed ones. The package does no I/O; its subpackages do I/O and implement
// [Source].
package source

import (
	"context"

	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// Source reads Works and Destinations.
type Source interface {
	// Snapshot returns the current input. An error means that nothing could be read; partial
	// failures are in the Snapshot's findings.
	Snapshot(ctx context.Context) (Snapshot, error)
	// Changes returns a channel that receives a value whenever Snapshot should be called again. It
	// is closed when ctx ends.
	Changes(ctx context.Context) (<-chan struct{}, error)
}

// Snapshot is the content of a source at one moment, in a stable order. Its objects and slices
// may be part of other snapshots and must not be modified. Appending to a slice copies it.
type Snapshot struct {
	Works             []*kratix.Work
	Destinations      []*kratix.Destination
	GitStateStores    []*kratix.GitStateStore
	BucketStateStores []*kratix.BucketStateStore
	Secrets           []*kratix.Secret
	// Profiles are the newest profiles, one for each Destination.
	Profiles []*profile.Profile
	// Existing are placements that the source itself records, in addition to the records in the
	// stores.
	Existing []*kratix.WorkPlacement
	// WorkPlacements are used in checks, and if Kratix schedules or writes. Promises are used only
	// in checks.
	WorkPlacements []*kratix.WorkPlacement
	Promises       []*kratix.Promise
	// Marked are the files that contain a comment for this program.
	Marked []File
	// Origins records where each object was read.
	Origins Origins
	// Findings are problems of the input.
	Findings []finding.Finding
	// Rejected are Works that exist but are invalid: their placements stay as they are.
	Rejected []kratix.Key
	// RejectedPlacements are WorkPlacements that exist but are invalid, sorted: the placements
	// of the same names stay as they are.
	RejectedPlacements []kratix.Key
	// Incomplete means that something could not be read at all, so that a Work which is missing
	// here may still exist.
	Incomplete bool
	// Empty are the names of the files without content, sorted. They make the snapshot
	// incomplete, since they may have been cut off.
	Empty []string
	// Settling means that the source has been watched for less than the removal delay, so that
	// missing Works may still appear.
	Settling bool
	// Missing counts the objects that have been missing for less than the removal delay and are
	// still in the snapshot.
	Missing int
	// FromAPI means that the objects are from the Kubernetes API, so that each Work has all of
	// its groups.
	FromAPI bool
	// Deleted are Works that the Kubernetes API reported as deleted, sorted.
	Deleted []kratix.Key
	// DeletedPlacements are WorkPlacements that the Kubernetes API reported as deleted, sorted.
	// There are none unless Kratix creates WorkPlacements.
	DeletedPlacements []kratix.Key
	// Assigned means that WorkPlacements determine the Destination of each Work, whatever is
	// recorded in the stores. Several Works may then have the same name.
	Assigned bool
	// Assignments are the WorkPlacements that determine the Destinations, sorted.
	Assignments []kratix.Key
	// Unwritten are Destinations that exist, but whose files must not be written; findings
	// report why.
	Unwritten []*kratix.Destination
	// Orphans are WorkPlacements without a Work that are not being deleted, sorted.
	Orphans []kratix.Key
	// Unseen means that an unreadable object is or may be a Destination, so that requests may
	// be on Destinations that are not in the snapshot.
	Unseen bool
}
