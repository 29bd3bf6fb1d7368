// Package source parses files of YAML into a [Snapshot] of the input, with findings about
// everything that could not be read. It does no I/O.
package source

import (
	"context"

	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// Source is an input, such as directories or a cluster.
type Source interface {
	// Snapshot returns the current input. It returns an error if the source as a whole cannot be
	// read; other failures are findings.
	Snapshot(ctx context.Context) (Snapshot, error)
	// Changes returns a channel that receives a value when Snapshot should be called again. The
	// channel is closed when ctx ends.
	Changes(ctx context.Context) (<-chan struct{}, error)
}

// Snapshot is the content of a source at one moment. Its objects and slices must not be modified,
// because other snapshots may share them.
type Snapshot struct {
	Works        []*kratix.Work
	Destinations []*kratix.Destination
	kratix.StateStores
	Secrets  []*kratix.Secret
	Rollouts []*kratix.Rollout
	// RejectedRollouts are the names of invalid Rollouts, sorted.
	RejectedRollouts []string
	// Profiles are the newest profiles, one for each Destination.
	Profiles []*profile.Profile
	// Existing are placements that the source itself records, in addition to the records in the
	// stores.
	Existing []*kratix.WorkPlacement
	// WorkPlacements are used by checks, and in the modes in which Kratix schedules or writes.
	// Promises are used by checks.
	WorkPlacements []*kratix.WorkPlacement
	Promises       []*kratix.Promise
	// Marked are the files that contain a comment for this program.
	Marked []File
	// Origins has the place at which each object was read.
	Origins Origins
	// Findings are the findings about the input.
	Findings []finding.Finding
	// Rejected are Works that cannot be used although they exist. Their placements stay as they
	// are.
	Rejected []kratix.Key
	// RejectedPlacements are WorkPlacements that exist but are invalid, sorted.
	RejectedPlacements []kratix.Key
	// Incomplete means that an object could not be read, so a missing Work may still exist.
	Incomplete bool
	// Empty are the names of the files without content, sorted.
	Empty []string
	// Settling means that the source has been watched for less than the removal delay.
	Settling bool
	// Missing is the number of objects that have been missing for less than the removal delay.
	Missing int
	// FromAPI means that the objects are from the Kubernetes API.
	FromAPI bool
	// Deleted are the Works that the Kubernetes API reported as deleted or as being deleted,
	// sorted.
	Deleted []kratix.Key
	// DeletedPlacements are the WorkPlacements that the Kubernetes API reported as deleted or as
	// being deleted, sorted.
	DeletedPlacements []kratix.Key
	// Assigned means that WorkPlacements determine the Destination of each Work, instead of the
	// records in the stores.
	Assigned bool
	// Assignments are the WorkPlacements that determine the Destinations, sorted.
	Assignments []kratix.Key
	// Unwritten are Destinations whose files must not be written.
	Unwritten []*kratix.Destination
	// Orphans are WorkPlacements without a Work that are not being deleted, sorted.
	Orphans []kratix.Key
	// Unseen means that a Destination may be missing because it cannot be read.
	Unseen bool
}
