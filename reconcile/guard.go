package reconcile

import (
	"fmt"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/finding"
	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

// Policy is what a user decides about rounds.
type Policy struct {
	// AllowDeletions switches the guard against an emptied source off.
	AllowDeletions bool
	// OnMisplaced says what becomes of placements whose Destination no longer
	// fits.
	OnMisplaced scheduler.OnMisplaced
	// Moves are asked for beside that.
	Moves []scheduler.Relocation
	// Owner is the id of who does the rounds; it is recorded with each placement.
	// What another has recorded is left alone, unless Adopt is set.
	Owner string
	Adopt bool
	// OnConflict is what is done about clashes; nothing is Quarantine.
	OnConflict dedupe.Policy
	// MaxUnpacked bounds what the files of all Works have in a round, in bytes;
	// nothing is DefaultMaxUnpacked.
	MaxUnpacked int64
}

// settlesAs tells that two policies make the same of a Destination.
func (p Policy) settlesAs(other Policy) bool {
	return p.AllowDeletions == other.AllowDeletions && p.OnConflict == other.OnConflict && p.Owner == other.Owner
}

// The deletion guard acts when both are passed: so many placements, and one in
// so many of a Destination's.
const (
	guardedDeletions = 10
	guardedShare     = 2
)

// allows tells whether a round may remove so many of a Destination's
// placements.
func (p Policy) allows(removed, recorded int) bool {
	return p.AllowDeletions || removed <= guardedDeletions || removed*guardedShare <= recorded
}

func deletionsRefused(dest *desiredDestination) finding.Finding {
	return finding.Finding{
		Rule:    finding.DeletionsRefused(),
		Place:   finding.Place{Object: kratix.Describe(dest.Destination)},
		Message: fmt.Sprintf("%d of %d placements have lost their Works; none is removed", len(dest.removed), len(dest.records)),
	}
}
