// Package report turns what a round did, or would do, into text: for people and
// for programs, one format a file, all in the table Formats. It does no I/O but
// to the writer it is given.
package report

import (
	"cmp"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// Report is everything that a round has to say, in a stable order.
type Report struct {
	Findings   []finding.Finding
	Placements []Placement
	Stores     []Store
	// Emptied are the names of Destinations that the round saw being deleted with their
	// files, and of which the state stores have nothing more but placements that are
	// reported to be there. It is for programs that go on with it.
	Emptied []string `json:"-"`
	// Again means that the next round has more to do: a move has two steps.
	Again bool
	// Due is how soon a round has something to try again even if nothing changes;
	// 0 if it has nothing. It is for programs that go on with it.
	Due time.Duration `json:"-"`
}

// State says what became of a placement.
type State string

// The states of a placement.
const (
	Placed    State = "placed"
	Unchanged State = "unchanged"
	Held      State = "held back"
	Kept      State = "kept as it is"
	Removed   State = "removed"
	Pending   State = "being written"
	Rehearsed State = "would be written"
	Unplaced  State = "not placed"
	Failed    State = "not written"
)

// Placement is one group of a Work, and where it is.
type Placement struct {
	// Work is the Work's key.
	Work string
	// Directory is the group's; "." for the default group.
	Directory   string
	Destination string
	State       State
	Reason      string
	// Misplaced means that the Destination no longer fits.
	Misplaced bool
	// Chosen is the Work as it was when a place was chosen for one of its groups,
	// which is written once the Work says so; nil for everything else. It is not
	// to be shown.
	Chosen *kratix.Work `json:"-"`
	// Object is the WorkPlacement, as it should be or as it was; nil for what is
	// not placed. It is for programs that go on with it, not to be shown.
	Object *kratix.WorkPlacement `json:"-"`
	// Unread means that its store could not be read, so that nobody knows what is
	// there. It is for programs that go on with it.
	Unread bool `json:"-"`
	// Written means, of a placement that is held back, that something of it is in the
	// store, from before. It is for programs that go on with it.
	Written bool `json:"-"`
}

// ComparePlacements orders placements as a report has them: by Work, group and
// Destination.
func ComparePlacements(a, b Placement) int {
	return cmp.Or(cmp.Compare(a.Work, b.Work), cmp.Compare(a.Directory, b.Directory), cmp.Compare(a.Destination, b.Destination))
}

// Store is what changed in a store.
type Store struct {
	// Name is the store's kind and name.
	Name string
	// Revision holds the change once it is written.
	Revision     string
	Destinations []Destination
	// Unselected means that another shard writes to the store.
	Unselected bool `json:",omitempty"`
	// Covered are the names of all Destinations on it that are now as the report
	// says, changed or not. It is for programs that go on with it.
	Covered []string `json:"-"`
	// Sites are where the files of these lie, by their names, as kratix.SiteOf says it.
	Sites map[string]string `json:"-"`
}

// Destination is what changed for one Destination.
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

// Worst returns the gravest severity of the report's findings.
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

// Troubled returns a report of only those placements that something is wrong
// with.
func (r Report) Troubled() Report {
	var troubled []Placement
	for _, p := range r.Placements {
		if p.troubled() {
			troubled = append(troubled, p)
		}
	}
	return Report{Placements: troubled}
}

// States returns all states, in the order in which a summary counts them.
func States() []State {
	return []State{Placed, Unchanged, Removed, Pending, Rehearsed, Kept, Held, Unplaced, Failed}
}

// Counts returns how many placements are in each state.
func (r Report) Counts() map[State]int {
	counts := map[State]int{}
	for start := 0; start < len(r.Placements); {
		// Most have the state of the one before them.
		state, end := r.Placements[start].State, start+1
		for end < len(r.Placements) && r.Placements[end].State == state {
			end++
		}
		counts[state] += end - start
		start = end
	}
	return counts
}

// troubled reports whether something is wrong with a placement.
func (p Placement) troubled() bool {
	return p.State == Held || p.State == Unplaced || p.State == Failed
}
