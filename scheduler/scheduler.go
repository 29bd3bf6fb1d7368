// Package scheduler turns Works, Destinations and what is placed already into
// placements, with a reason for each choice and for each Destination that was
// not taken. It is a pure function: no clock, no randomness, no I/O.
package scheduler

import (
	"cmp"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// Input is everything a plan depends on.
type Input struct {
	Works        []*kratix.Work
	Destinations []Destination
	// Existing are the placements recorded so far.
	Existing []*kratix.WorkPlacement
	// Copies are placements whose files lie where their Destination is no more,
	// of groups that are placed elsewhere too. They do not count as placed; a move
	// away from one is not over.
	Copies []*kratix.WorkPlacement
	// Rejected are Works that exist and cannot be used now.
	Rejected []kratix.Key
	// RejectedPlacements are WorkPlacements, sorted, that exist and cannot be used now.
	RejectedPlacements []kratix.Key
	// Incomplete means that a Work which is not here may still exist.
	Incomplete bool
	// Unseen means that a Destination which is not here may still exist. What is
	// new and could be there already must wait.
	Unseen bool
	// OnMisplaced says what becomes of a request's placement whose Destination
	// no longer fits.
	OnMisplaced OnMisplaced
	// Moves are asked for beside that. One that is no longer possible is not
	// made.
	Moves []Relocation
	// Clashes reports whether a group's objects would clash with what is on a
	// Destination; nil when that is not known. It must be a pure function.
	Clashes func(work *kratix.Work, group *kratix.WorkloadGroup, destination string) bool
}

// OnMisplaced says what becomes of misplaced placements of requests. Those of
// dependencies always stay.
type OnMisplaced int

// What becomes of misplaced placements.
const (
	// Keep leaves them where they are, up to date.
	Keep OnMisplaced = iota
	// Move places them anew, and removes the old one once the new one is
	// recorded.
	Move
)

// Relocation is one group of a request that goes from a Destination to another.
type Relocation struct {
	Work kratix.Key
	// Group is the group's id.
	Group     string
	Directory string
	From, To  string
	Reason    string
}

// Destination is a Destination and what is known of its store.
type Destination struct {
	*kratix.Destination
	// Store says whether what is placed there is known.
	Store StoreState
	// Closed is why nothing new may be placed there; empty when it may.
	Closed string
}

// StoreState says what is known of a Destination's store.
type StoreState int

// The states of a store.
const (
	// StoreRead: what is placed there is known.
	StoreRead StoreState = iota
	// StoreUnread: it exists, but could not be read. What is new and could be
	// there already must wait, or it would be placed twice.
	StoreUnread
	// StoreAbsent: there is no such store. Nothing can be written there, and
	// nothing that is there can be known: it is passed over.
	StoreAbsent
)

// Result is a plan. All parts are sorted, so that equal inputs give equal
// plans whatever order they came in.
type Result struct {
	// Parts are the placements that should be in the stores, by Destination.
	Parts []Part
	// Unplaced are groups that fit nowhere, or must wait.
	Unplaced []Unplaced
	// Kept are placements whose Work or WorkPlacement cannot be used now: their files
	// stay.
	Kept []*kratix.WorkPlacement
	// Held are placements that seem to have lost their Work, but part of the
	// input is unknown: their files stay.
	Held []*kratix.WorkPlacement
	// Removed are placements without a Work or a group.
	Removed []*kratix.WorkPlacement
	// Moved are placements that are to be removed because others, which are
	// recorded already, have taken their place.
	Moved []Moved
	// Invalid are settings that could not be read.
	Invalid []Invalid
	// Again means that the next round has more to do once this one is written.
	Again bool
	// begun means that a move begins.
	begun bool
}

// Part is what should be on one Destination, by name. There is no part for a
// Destination that has nothing.
type Part struct {
	Destination string
	Placements  []Placement
}

// Placements returns all of them, by Destination and name.
func (r Result) Placements() []Placement {
	var all []Placement
	for _, part := range r.Parts {
		all = append(all, part.Placements...)
	}
	return all
}

// sort puts everything into its order.
func (r *Result) sort() {
	for _, list := range [][]*kratix.WorkPlacement{r.Kept, r.Held, r.Removed} {
		slices.SortFunc(list, comparePlacements)
	}
	slices.SortFunc(r.Moved, compareMoved)
	slices.SortStableFunc(r.Unplaced, compareUnplaced)
	r.Again = r.begun || len(r.Moved) > 0
}

// Moved is a placement that another has taken the place of.
type Moved struct {
	*kratix.WorkPlacement
	// To is the Destination where the other is.
	To string
}

// Invalid is an annotation that could not be read, and what is wrong with it.
type Invalid struct {
	Object  kratix.Object
	Message string
}

// Placement is one group on one Destination.
type Placement struct {
	*kratix.WorkPlacement
	Work *kratix.Work
	// Directory is the group's.
	Directory string
	// New means that no record of it exists yet.
	New bool
	// Misplaced means that the Destination no longer fits.
	Misplaced bool
	// Reason says why this Destination.
	Reason string
}

// Unplaced is one group that is on no Destination.
type Unplaced struct {
	Work      *kratix.Work
	Directory string
	// Waits means that it will be placed once a store can be read again.
	Waits bool
	// Idle means that nothing asks for it yet, as it should be.
	Idle bool
	// Reason is for people: "0/3 Destinations fit: 2 lack environment=prod".
	Reason string
}

// Plan places every group of every Work:
//
//	dependency  on every Destination that fits
//	            (on demand: where a request of its Promise is)
//	resource    where it is already, else on one Destination that fits:
//	            a ready one before others, then one where nothing clashes, then
//	            one that has another group of the request, then by a draw that
//	            spreads by weight
//
// and keeps what is placed already where it is, unless it is to move.
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

// groupKey names a group of a Work.
type groupKey struct {
	work kratix.Key
	id   string
}

// requestKey names what several Works and groups belong to.
type requestKey struct{ namespace, promise, resource string }

func requestOf(w *kratix.Work) requestKey {
	return requestKey{w.Namespace, w.Spec.PromiseName, w.Spec.ResourceName}
}
