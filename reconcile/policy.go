package reconcile

import (
	"fmt"
	"slices"
	"time"

	"github.com/kratix-schedule/kratix-schedule/applycheck"
	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

// Policy is the options of a user for rounds.
type Policy struct {
	// Allow is the number of removals that the user explicitly allows within RemovalWindow.
	Allow Allowance
	// RemovalWindow is the time for which the deletion guard counts a removal. If it is zero, removals
	// of earlier rounds do not count.
	RemovalWindow time.Duration
	// OnMisplaced is the action for placements whose Destination no longer matches.
	OnMisplaced scheduler.OnMisplaced
	// Moves are the moves that the user requests.
	Moves []scheduler.Relocation
	// Owner is the controller ID. Placements of other controllers are left alone unless Adopt is set.
	Owner string
	Adopt bool
	// Unrecorded disables adopting files without a record.
	Unrecorded bool
	// OnConflict is the action for conflicts. Empty means Quarantine.
	OnConflict dedupe.Policy
	// CheckApply is the action for objects that the API server would refuse. Empty means Off.
	CheckApply applycheck.Policy
	// RollBack means that a placement is rolled back if its agent cannot apply it.
	RollBack bool
	// ProfileMaxAge is the age above which a profile is reported as stale. Zero means never.
	ProfileMaxAge time.Duration
	// AllowNames are patterns of reserved names that Works may use.
	AllowNames []string
	// MaxUnpacked is the limit for the unpacked files of all Works, in bytes. Zero means
	// DefaultMaxUnpacked.
	MaxUnpacked int64
}

// sameEffect reports whether two policies lead to the same outcome for the same plan of a
// Destination.
func (p Policy) sameEffect(other Policy) bool {
	return p.OnConflict == other.OnConflict && p.RollBack == other.RollBack && p.CheckApply == other.CheckApply && p.Owner == other.Owner && slices.Equal(p.AllowNames, other.AllowNames)
}

// owns reports whether this process may change the placements that a controller has recorded.
func (p Policy) owns(owner string) bool { return p.Adopt || owner == "" || owner == p.Owner }

func named(owner string) string {
	if owner == "" {
		return "one without an id"
	}
	return fmt.Sprintf("%q", owner)
}

func (p *Policy) checksApply() bool { return p.CheckApply != "" && p.CheckApply != applycheck.Off }
