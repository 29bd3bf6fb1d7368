// Package report contains the result of a round, and writes it in several formats.
package report

import (
	"cmp"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// Report is the result of a round. Its findings and placements are sorted.
type Report struct {
	Findings   []finding.Finding
	Placements []Placement
	Stores     []Store
	// Profiles are the profiles that Destinations were checked with.
	Profiles []Profile `json:",omitempty"`
	// Deliveries are the states of roots that agents have reported.
	Deliveries []Delivery `json:",omitempty"`
	// Rollouts are sorted by name and Promise.
	Rollouts []Rollout `json:",omitempty"`
	// Emptied are the names of Destinations that are being deleted with their files, and have no
	// files left except those of the reported placements.
	Emptied []string `json:"-"`
	// Again means that the next round has more to do.
	Again bool
	// Due is the delay after which a round should retry something, or 0 if there is nothing to
	// retry.
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

// Placement is the state of a group of a Work on a Destination.
type Placement struct {
	Work string
	// Directory is the directory of the group, "." for the default group.
	Directory   string
	Destination string
	State       State
	Reason      string
	// Misplaced means that the Destination no longer matches the selectors of the group.
	Misplaced bool
	// Chosen is the version of the Work with the decision for this Destination. It is nil unless
	// the decision must be recorded before anything is written.
	Chosen *kratix.Work `json:"-"`
	// Object is the WorkPlacement as it should be, or as it was before its removal. It is nil for a
	// group that is not placed.
	Object *kratix.WorkPlacement `json:"-"`
	// Unread means that the store could not be read.
	Unread bool `json:"-"`
	// Written means that the store still contains files of a placement that is held back or kept as
	// it is.
	Written bool `json:"-"`
}

// ComparePlacements compares placements by Work, group and Destination.
func ComparePlacements(a, b Placement) int {
	return cmp.Or(cmp.Compare(a.Work, b.Work), cmp.Compare(a.Directory, b.Directory), cmp.Compare(a.Destination, b.Destination))
}

// Store contains the changes of a store.
type Store struct {
	// Name is the kind and the name of the store.
	Name string
	// Revision is the revision of the store after the round.
	Revision     string
	Destinations []Destination
	// Unselected means that another shard writes to the store.
	Unselected bool `json:",omitempty"`
	// Covered are the names of the Destinations of the store whose files are as planned.
	Covered []string `json:"-"`
	// Locations are the locations of the files of Destinations, by the name of the Destination.
	Locations map[string]string `json:"-"`
}

// Destination contains the changes of a Destination.
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

// Worst returns the highest severity of the findings.
func (r Report) Worst() finding.Severity { return finding.Worst(r.Findings) }

// Has reports whether the report has a finding of a rule.
func (r Report) Has(rule finding.Rule) bool {
	for _, f := range r.Findings {
		if f.Rule == rule {
			return true
		}
	}
	return false
}

// WithProblems returns a report with the placements that have problems, and nothing else.
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

// Counts returns the number of placements in each state.
func (r Report) Counts() map[State]int {
	counts := map[State]int{}
	for start := 0; start < len(r.Placements); {
		// Neighbours usually have the same state.
		state, end := r.Placements[start].State, start+1
		for end < len(r.Placements) && r.Placements[end].State == state {
			end++
		}
		counts[state] += end - start
		start = end
	}
	return counts
}

func (p Placement) hasProblem() bool {
	return p.State == HeldBack || p.State == Unplaced || p.State == Failed
}
