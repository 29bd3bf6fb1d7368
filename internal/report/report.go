// Package report turns the result of a round into text for people and for programs: one
// format per file, all of them in the table Formats. Its only I/O is to the given writer.
package report

import (
	"cmp"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// Report is the complete result of a round, sorted.
type Report struct {
	Findings   []finding.Finding
	Placements []Placement
	Stores     []Store
	// Profiles are the profiles that Destinations were checked with, by the names of the
	// Destinations.
	Profiles []Profile `json:",omitempty"`
	// Deliveries are the states that agents have reported, by root.
	Deliveries []Delivery `json:",omitempty"`
	// Emptied are the names of Destinations that were being deleted with their files when the round
	// read them, and that have nothing left in the state stores except the reported placements. The
	// field is for internal use.
	Emptied []string `json:"-"`
	// Again reports whether the next round has more to do: a move has two steps.
	Again bool
	// Due is the delay after which a round has something to retry even if nothing changes; 0
	// if there is none. It is for internal use.
	Due time.Duration `json:"-"`
}

// State is the state of a placement after a round.
type State string

// The states of a placement.
const (
	Placed    State = "placed"
	Unchanged State = "unchanged"
	HeldBack  State = "held back"
	Kept      State = "kept as it is"
	Removed   State = "removed"
	Pending   State = "being written"
	Rehearsed State = "would be written"
	Unplaced  State = "not placed"
	Failed    State = "not written"
)

// Placement is a group of a Work on a Destination.
type Placement struct {
	// Work is the Work's key.
	Work string
	// Directory is the directory of the group; "." for the default group.
	Directory   string
	Destination string
	State       State
	Reason      string
	// Misplaced reports whether the Destination no longer matches.
	Misplaced bool
	// Chosen is the version of the Work for which this Destination was chosen, if the
	// decision must be recorded on the Work before anything is written; nil otherwise. It is
	// for internal use.
	Chosen *kratix.Work `json:"-"`
	// Object is the WorkPlacement, as it should be or as it was; nil for an unplaced group.
	// It is for internal use.
	Object *kratix.WorkPlacement `json:"-"`
	// Unread reports whether its store could not be read, so that its content there is
	// unknown. It is for internal use.
	Unread bool `json:"-"`
	// Written reports, for a placement that is held back, whether the store has files of it
	// from before. It is for internal use.
	Written bool `json:"-"`
}

// ComparePlacements compares placements in the order of a report: by Work, group and
// Destination.
func ComparePlacements(a, b Placement) int {
	return cmp.Or(cmp.Compare(a.Work, b.Work), cmp.Compare(a.Directory, b.Directory), cmp.Compare(a.Destination, b.Destination))
}

// Store is the change of a store.
type Store struct {
	// Name is the store's kind and name.
	Name string
	// Revision is the revision with the change, once it is written.
	Revision     string
	Destinations []Destination
	// Unselected reports whether another shard writes to the store.
	Unselected bool `json:",omitempty"`
	// Covered are the names of all Destinations of the store whose state is as reported, changed
	// or not.
	// The field is for internal use.
	Covered []string `json:"-"`
	// Locations are the locations of their files, as layout.Location.String returns them, by
	// the names of the Destinations.
	Locations map[string]string `json:"-"`
}

// Destination is the change of a Destination.
type Destination struct {
	Name                    string
	Added, Changed, Removed []tree.Path
}

// Changes reports whether any store has changes.
func (r Report) Changes() bool {
	for _, store := range r.Stores {
		if len(store.Destinations) > 0 {
			return true
		}
	}
	return false
}

// Worst returns the highest severity of the report's findings.
func (r Report) Worst() finding.Severity { return finding.Worst(r.Findings) }

// Has reports whether a rule is among the findings.
func (r Report) Has(rule finding.Rule) bool {
	for _, f := range r.Findings {
		if f.Rule == rule {
			return true
		}
	}
	return false
}

// WithProblems returns a report with only the placements that have problems.
func (r Report) WithProblems() Report {
	var troubled []Placement
	for _, p := range r.Placements {
		if p.hasProblem() {
			troubled = append(troubled, p)
		}
	}
	return Report{Placements: troubled}
}

// States returns all states, in the order of a summary.
func States() []State {
	return []State{Placed, Unchanged, Removed, Pending, Rehearsed, Kept, HeldBack, Unplaced, Failed}
}

// Counts returns how many placements are in each state.
func (r Report) Counts() map[State]int {
	counts := map[State]int{}
	for start := 0; start < len(r.Placements); {
		// Most placements have the same state as the one before.
		state, end := r.Placements[start].State, start+1
		for end < len(r.Placements) && r.Placements[end].State == state {
			end++
		}
		counts[state] += end - start
		start = end
	}
	return counts
}

// hasProblem reports whether a placement has a problem.
func (p Placement) hasProblem() bool {
	return p.State == HeldBack || p.State == Unplaced || p.State == Failed
}
