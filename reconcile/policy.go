package reconcile

import (
	"fmt"
	"slices"
	"time"

	"github.com/kratix-schedule/kratix-schedule/applycheck"
	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

// Policy holds the options of a user for rounds.
type Policy struct {
	// Allow is the number of removals that are allowed within RemovalWindow, although the deletion
	// guard would refuse them.
	Allow Allowance
	// RemovalWindow is the time for which the deletion guard counts a removal. If it is zero, only
	// the removals of the same round count.
	RemovalWindow time.Duration
	// OnMisplaced is the action for placements whose Destination no longer matches.
	OnMisplaced scheduler.OnMisplaced
	// Moves are the moves that the user requests.
	Moves []scheduler.Relocation
	// Owner is the controller ID, which is recorded with each placement. Placements recorded by
	// another controller are left alone, unless Adopt is set.
	Owner string
	Adopt bool
	// Unrecorded disables adopting files without a record. It is set where one group is meant
	// to be on several Destinations.
	Unrecorded bool
	// OnConflict is the action for conflicts. An empty value means Quarantine.
	OnConflict dedupe.Policy
	// CheckApply is the action for objects that the API server would refuse. An empty value means
	// Off.
	CheckApply applycheck.Policy
	// RollBack means that a placement is rolled back if its agent cannot apply it.
	RollBack bool
	// ProfileMaxAge is the age of a profile above which it is reported as stale. Zero means never.
	ProfileMaxAge time.Duration
	// AllowNames are patterns of reserved names that Works may use.
	AllowNames []string
	// MaxUnpacked is the limit for the unpacked files of all Works in a round, in bytes. Zero means
	// DefaultMaxUnpacked.
	MaxUnpacked int64
}

// sameEffect reports whether two policies lead to the same outcome on a Destination. It ignores the
// options of the deletion guard, whose judgement is in the plan.
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
