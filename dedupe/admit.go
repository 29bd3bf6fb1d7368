package dedupe

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/finding"
)

// Check decides which claims may be written:
//
//  1. A claim with a file that Flux cannot build is held.
//  2. If all others fit together, all are written.
//  3. Else they are admitted one by one, the claims on what is in the store
//     already before new ones, then by rank, each if it clashes with nothing
//     that is there. A claim that waits for an object which a later one gives
//     up is tried again.
//
// Holding back never removes anything: a held claim keeps what it has stored.
func Check(root Root) Verdict {
	s := newSession(root)
	s.holdUnbuildable()
	if !s.tryAll() {
		s.admitOneByOne()
	}
	return Verdict{Held: s.held(), Findings: s.findings()}
}

// state says where a claim is in the decision.
type state int

const (
	// waiting is for a decision, or held back by a clash.
	waiting state = iota
	admitted
	// unbuildable has a file that Flux cannot build.
	unbuildable
)

type session struct {
	root   Root
	parsed []parsedClaim
	// states has one entry a claim.
	states []state
	index  *index
	broken []finding.Finding
}

// parsedClaim is a claim with its files read.
type parsedClaim struct{ wanted, stored []entry }

func newSession(root Root) *session {
	s := &session{root: root, parsed: make([]parsedClaim, len(root.Claims)), states: make([]state, len(root.Claims)), index: newIndex()}
	for _, entry := range s.parse(foreign, root.Foreign, &s.broken) {
		s.index.add(entry)
	}
	for _, entry := range claimedPaths(foreign, Claim{}, root.Foreign) {
		s.index.add(entry)
	}
	return s
}

// claimedPaths gives the paths that a claim with these files has to itself.
func claimedPaths(i int, claim Claim, files []File) []entry {
	var entries []entry
	switch {
	case len(files) == 0 || claim.Joined:
	case !claim.Dir.IsRoot():
		entries = append(entries, entry{id: identity{path: claim.Dir}, claim: i, path: claim.Dir, place: finding.Place{Object: claim.Object}})
	default:
		for _, file := range files {
			entries = append(entries, entry{id: identity{path: file.Path}, claim: i, path: file.Path, place: file.Place})
		}
	}
	return entries
}

// holdUnbuildable reads all claims and sets aside those that Flux cannot build.
func (s *session) holdUnbuildable() {
	for i, claim := range s.root.Claims {
		s.parsed[i].stored = append(s.parse(i, claim.Stored, nil), claimedPaths(i, claim, claim.Stored)...)
		before := len(s.broken)
		s.parsed[i].wanted = append(s.parse(i, claim.Wanted, &s.broken), claimedPaths(i, claim, claim.Wanted)...)
		if len(s.broken) > before {
			s.states[i] = unbuildable
		}
	}
}

// tryAll admits everything at once when nothing clashes: so two claims may
// swap objects in one step.
func (s *session) tryAll() bool {
	all := s.index.clone()
	for i := range s.root.Claims {
		for _, entry := range s.current(i, true) {
			all.add(entry)
		}
	}
	if all.clashes() {
		return false
	}
	for i, st := range s.states {
		if st == waiting {
			s.states[i] = admitted
		}
	}
	s.index = all
	return true
}

// current gives what a claim has in the tree: what it wants once it may, else
// what it has stored.
func (s *session) current(i int, optimistic bool) []entry {
	if s.states[i] == admitted || (optimistic && s.states[i] == waiting) {
		return s.parsed[i].wanted
	}
	return s.parsed[i].stored
}

func (s *session) admitOneByOne() {
	for i := range s.root.Claims {
		for _, entry := range s.parsed[i].stored {
			s.index.add(entry)
		}
	}
	order := s.order()
	for progress := true; progress; {
		progress = false
		for _, i := range order {
			if s.states[i] == waiting && s.admit(i) {
				s.states[i] = admitted
				progress = true
			}
		}
	}
}

// admit replaces a claim's stored objects by its wanted ones, unless one of
// these is there already.
func (s *session) admit(i int) bool {
	for _, entry := range s.parsed[i].stored {
		s.index.remove(entry)
	}
	if s.index.free(s.parsed[i].wanted) || s.unchanged(i) {
		for _, entry := range s.parsed[i].wanted {
			s.index.add(entry)
		}
		return true
	}
	for _, entry := range s.parsed[i].stored {
		s.index.add(entry)
	}
	return false
}

// unchanged tells that a claim wants what it has: then there is nothing to
// hold back, even where it clashes.
func (s *session) unchanged(i int) bool {
	return len(s.parsed[i].stored) > 0 && slices.EqualFunc(s.parsed[i].stored, s.parsed[i].wanted, func(a, b entry) bool {
		return a.path == b.path && a.id == b.id
	})
}

// order puts claims on what is stored already first, then the older ones.
func (s *session) order() []int {
	order := make([]int, len(s.root.Claims))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := s.root.Claims[a], s.root.Claims[b]
		return cmp.Or(
			cmp.Compare(min(1, len(y.Stored)), min(1, len(x.Stored))),
			x.Rank.Created.Compare(y.Rank.Created),
			strings.Compare(x.Rank.Name, y.Rank.Name),
		)
	})
	return order
}

// held gives the claims that may not be written, and why in short.
func (s *session) held() map[int]string {
	held := map[int]string{}
	for i, st := range s.states {
		switch st {
		case admitted:
		case unbuildable:
			held[i] = "Flux could not build " + s.root.Path.String() + " with it"
		case waiting:
			held[i] = s.clashesInShort(i)
		}
	}
	return held
}
