// Package scheduler turns Works, Destinations and existing placements ([Input]) into placements
// ([Result]), with a reason for each Destination that was chosen. It is pure: no clock, no
// randomness, no I/O.
//
// [Plan] is a function of its input. A [Planner] returns the same plans, and reuses the last plan.
// [Explain] also returns the reason for each Destination that was not chosen, and [Rebalance]
// returns the moves that would even out the load.
package scheduler

import (
	"cmp"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// Input is everything that a plan depends on.
type Input struct {
	Works        []*kratix.Work
	Destinations []Destination
	// Existing are the recorded placements.
	Existing []*kratix.WorkPlacement
	// Copies are recorded placements that do not count as existing, because their groups are placed
	// elsewhere too.
	Copies []*kratix.WorkPlacement
	// Rejected are Works that exist but are invalid.
	Rejected []kratix.Key
	// RejectedPlacements are WorkPlacements that exist but are invalid, sorted.
	RejectedPlacements []kratix.Key
	// Incomplete means that a Work which is missing from the input may still exist.
	Incomplete bool
	// Unseen means that a Destination which is missing from the input may still exist.
	Unseen bool
	// OnMisplaced is the policy for a request's placement whose Destination no longer fits.
	OnMisplaced OnMisplaced
	// Moves are moves that the user requested. Impossible moves are ignored.
	Moves []Relocation
	// Conflicts reports whether a group would be quarantined on a Destination. It must be a pure
	// function. Nil means that conflicts are not known yet.
	Conflicts func(work *kratix.Work, group *kratix.WorkloadGroup, destination string) bool
}

// OnMisplaced is the policy for misplaced placements of requests. Misplaced dependencies always
// stay.
type OnMisplaced int

// The values of OnMisplaced.
const (
	// Keep leaves misplaced placements where they are and keeps them up to date.
	Keep OnMisplaced = iota
	// Move places the groups of misplaced placements again. The old placement is removed once the
	// new one is recorded.
	Move
)

// Relocation is a move of one group of a request from one Destination to another.
type Relocation struct {
	Work kratix.Key
	// Group is the ID of the group.
	Group     string
	Directory string
	From, To  string
	Reason    string
}

// Destination is a Destination with the state of its store.
type Destination struct {
	*kratix.Destination
	// Store is the state of the Destination's store. If the store could not be read, Input.Existing
	// lacks the placements in it.
	Store StoreState
	// Closed is the reason why the Destination accepts no new placements, or empty.
	Closed string
}

// StoreState is the state of a Destination's store.
type StoreState int

// The states of a store.
const (
	// StoreRead means that the store was read.
	StoreRead StoreState = iota
	// StoreUnread means that the store exists but could not be read. New groups that may already be in
	// the store are not placed.
	StoreUnread
	// StoreAbsent means that the store does not exist. The Destination gets no new placements.
	StoreAbsent
)

// Result is a plan. Its lists are sorted.
type Result struct {
	// Destinations are the placements that should be in the stores, by Destination.
	Destinations []DestinationPlan
	// Unplaced are groups that fit no Destination, or cannot be placed yet.
	Unplaced []Unplaced
	// KeptInvalid are placements whose Work or WorkPlacement exists but is invalid. Their files
	// stay in the store.
	KeptInvalid []*kratix.WorkPlacement
	// KeptMissing are placements whose Work is missing from an incomplete input. Their files stay
	// in the store.
	KeptMissing []*kratix.WorkPlacement
	// Removed are placements whose Work or group no longer exists.
	Removed []*kratix.WorkPlacement
	// Moved are placements to be removed because a recorded placement on another Destination
	// has replaced them.
	Moved []Moved
	// Invalid are invalid annotations.
	Invalid []Invalid
	// Again means that another round is needed after this plan has been written.
	Again bool
	begun bool
}

// DestinationPlan is the placements of one Destination, sorted by name. A Destination without
// placements has no DestinationPlan.
type DestinationPlan struct {
	Destination string
	Placements  []Placement
}

// Placements returns the placements of all Destinations.
func (r Result) Placements() []Placement {
	var all []Placement
	for _, part := range r.Destinations {
		all = append(all, part.Placements...)
	}
	return all
}

func (r *Result) sort() {
	for _, list := range [][]*kratix.WorkPlacement{r.KeptInvalid, r.KeptMissing, r.Removed} {
		slices.SortFunc(list, comparePlacements)
	}
	slices.SortFunc(r.Moved, compareMoved)
	slices.SortStableFunc(r.Unplaced, compareUnplaced)
	r.Again = r.begun || len(r.Moved) > 0
}

// Moved is a placement that another placement of its group has replaced.
type Moved struct {
	*kratix.WorkPlacement
	// To is the Destination of the replacement.
	To string
}

// Invalid is an annotation that is unknown or does not parse, with the reason.
type Invalid struct {
	Object  kratix.Object
	Message string
}

// Placement is one group of a Work on one Destination.
type Placement struct {
	*kratix.WorkPlacement
	Work *kratix.Work
	// Directory is the directory of the group.
	Directory string
	// New means that the placement is not recorded in the store yet.
	New bool
	// Misplaced means that the Destination no longer fits the group.
	Misplaced bool
	// Reason is a text for users: why the placement is on this Destination.
	Reason string
}

// Unplaced is a group of a Work without a placement on any Destination.
type Unplaced struct {
	Work      *kratix.Work
	Directory string
	// Waits means that the group can be placed once a store can be read again.
	Waits bool
	// Idle means that the Work is an on-demand dependency without a request on a Destination that
	// fits.
	Idle bool
	// Reason is a text for users, such as "0/3 Destinations fit: 2 lack environment=prod".
	Reason string
}

// Plan returns the plan for an input:
//   - a dependency is placed on each Destination that fits; with [OnDemand] on those that have a
//     request of its Promise
//   - a request is placed on one Destination that fits: a ready one before others, then one without
//     conflicts, then one that has another group of the request, then by a draw in proportion to
//     the weights
//
// Existing placements stay where they are, unless they are to move.
func Plan(in Input) Result { return newRound(in, newFleet(in.Destinations)).plan() }

func sortedWorks(works []*kratix.Work) []*kratix.Work {
	if slices.IsSortedFunc(works, compareWorks) {
		return works
	}
	return slices.SortedStableFunc(slices.Values(works), compareWorks)
}

func compareWorks(a, b *kratix.Work) int { return kratix.KeyOf(a).Compare(kratix.KeyOf(b)) }

func comparePlacements(a, b *kratix.WorkPlacement) int {
	if c := cmp.Compare(a.Spec.TargetDestinationName, b.Spec.TargetDestinationName); c != 0 {
		return c
	}
	return kratix.KeyOf(a).Compare(kratix.KeyOf(b))
}

func compareMoved(a, b Moved) int { return comparePlacements(a.WorkPlacement, b.WorkPlacement) }

func compareUnplaced(a, b Unplaced) int { return compareWorks(a.Work, b.Work) }

func comparePlaced(a, b Placement) int { return comparePlacements(a.WorkPlacement, b.WorkPlacement) }

type groupKey struct {
	work kratix.Key
	id   string
}

type requestKey struct{ namespace, promise, resource string }

func requestOf(w *kratix.Work) requestKey {
	return requestKey{w.Namespace, w.Spec.PromiseName, w.Spec.ResourceName}
}
