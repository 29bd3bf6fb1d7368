// Package source turns files of YAML into a [Snapshot] of the input: Works, Destinations and state
// stores, with findings about everything that could not be read. [Collect] parses all files, and a
// [Collection] parses only those that have changed. The package does no I/O. Its subpackages
// implement [Source] and do I/O.
package source

import (
	"context"

	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// Source reads Works and Destinations.
type Source interface {
	// Snapshot returns the current input. It returns an error if the source as a whole cannot be
	// read, for example because an input path is missing. Other failures are findings in the
	// Snapshot.
	Snapshot(ctx context.Context) (Snapshot, error)
	// Changes returns a channel that receives a value whenever Snapshot should be called again. The
	// channel is closed when ctx ends.
	Changes(ctx context.Context) (<-chan struct{}, error)
}

// Snapshot is the content of a source at one moment. Its lists are sorted. Its objects and slices
// may be part of other snapshots and must not be modified.
type Snapshot struct {
	Works        []*kratix.Work
	Destinations []*kratix.Destination
	kratix.StateStores
	Secrets  []*kratix.Secret
	Rollouts []*kratix.Rollout
	// RejectedRollouts are the names of Rollouts that exist but cannot be read, sorted.
	RejectedRollouts []string
	// Profiles are the newest profiles, one for each Destination.
	Profiles []*profile.Profile
	// Existing are placements that the source itself records, in addition to the records in the
	// stores.
	Existing []*kratix.WorkPlacement
	// WorkPlacements are used only by checks, and in the modes in which Kratix schedules or writes.
	// Promises are used only by checks.
	WorkPlacements []*kratix.WorkPlacement
	Promises       []*kratix.Promise
	// Marked are the files that contain a comment for this program.
	Marked []File
	// Origins records the place at which each object was read.
	Origins Origins
	// Findings are the problems of the input.
	Findings []finding.Finding
	// Rejected are Works that exist but are invalid. Their placements stay as they are.
	Rejected []kratix.Key
	// RejectedPlacements are WorkPlacements that exist but are invalid, sorted. The placements with
	// the same names stay as they are.
	RejectedPlacements []kratix.Key
	// Incomplete means that an object could not be read at all, so a Work that is not in the
	// snapshot may still exist.
	Incomplete bool
	// Empty are the names of the files without content, sorted. They make the snapshot incomplete,
	// because they may have been cut off.
	Empty []string
	// Settling means that the source has been watched for less than the removal delay, so missing
	// Works may still appear.
	Settling bool
	// Missing is the number of objects in the snapshot that have been missing from the files for
	// less than the removal delay.
	Missing int
	// FromAPI means that the objects are from the Kubernetes API, so each Work has all of its
	// groups.
	FromAPI bool
	// Deleted are the Works that the Kubernetes API reported as deleted or as being deleted, sorted.
	Deleted []kratix.Key
	// DeletedPlacements are the WorkPlacements that the Kubernetes API reported as deleted or as
	// being deleted, sorted.
	DeletedPlacements []kratix.Key
	// Assigned means that WorkPlacements determine the Destination of each Work, and the records in
	// the stores do not. Several Works may then have the same name.
	Assigned bool
	// Assignments are the WorkPlacements that determine the Destinations, sorted.
	Assignments []kratix.Key
	// Unwritten are Destinations that exist, but whose files must not be written. Findings report
	// why.
	Unwritten []*kratix.Destination
	// Orphans are WorkPlacements without a Work that are not being deleted, sorted.
	Orphans []kratix.Key
	// Unseen means that an object which cannot be read is a Destination, or may be one. Requests
	// may therefore be on Destinations that are not in the snapshot.
	Unseen bool
}
