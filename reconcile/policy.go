package reconcile

import (
	"fmt"
	"slices"
	"time"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

// Policy is what a user decides about rounds.
type Policy struct {
	// Allow is how many removals are allowed within RemovalWindow, whatever the
	// deletion guard says.
	Allow Allowance
	// RemovalWindow is how long the deletion guard counts a removal. Zero counts
	// those of the round.
	RemovalWindow time.Duration
	// OnMisplaced says what becomes of placements whose Destination no longer
	// fits.
	OnMisplaced scheduler.OnMisplaced
	// Moves are asked for beside that.
	Moves []scheduler.Relocation
	// Owner is the id of who does the rounds; it is recorded with each placement.
	// What another has recorded is left alone, unless Adopt is set.
	Owner string
	Adopt bool
	// Unrecorded leaves files without a record to whoever is placed where they are,
	// and places no group by them: for what one group is to be in several places.
	Unrecorded bool
	// OnConflict is what is done about conflicts; empty is Quarantine.
	OnConflict dedupe.Policy
	// AllowNames are patterns of reserved names that Works may use.
	AllowNames []string
	// MaxUnpacked bounds what the files of all Works have in a round, in bytes;
	// nothing is DefaultMaxUnpacked.
	MaxUnpacked int64
}

// sameEffect reports whether two policies make the same of a Destination. The
// deletion guard's judgement is a part of the plan.
func (p Policy) sameEffect(other Policy) bool {
	return p.OnConflict == other.OnConflict && p.Owner == other.Owner && slices.Equal(p.AllowNames, other.AllowNames)
}

// owns reports whether what a controller has recorded may be changed.
func (p Policy) owns(owner string) bool { return p.Adopt || owner == "" || owner == p.Owner }

// named returns who an owner is.
func named(owner string) string {
	if owner == "" {
		return "one without an id"
	}
	return fmt.Sprintf("%q", owner)
}
