package dedupe

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/finding"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
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
	for s.decide(); s.pinHolders(); s.decide() {
	}
	files, shared := s.share()
	return Verdict{Held: s.held(), Findings: s.findings(), Files: files, Shared: shared, decided: s}
}

// decide says of each claim whether it is admitted.
func (s *session) decide() {
	s.index = s.foreign.clone()
	for i, st := range s.states {
		if st == admitted {
			s.states[i] = waiting
		}
	}
	if !s.tryAll() {
		s.admitOneByOne()
	}
}

// state says where a claim is in the decision.
type state int

const (
	// waiting is for a decision, or held back by a clash.
	waiting state = iota
	admitted
	// unbuildable has a file that Flux cannot build.
	unbuildable
	// kept is not to be written in this round, whatever it would want.
	kept
	// pinned has, in its files, what others that cannot be written share.
	pinned
)

type session struct {
	root   Root
	parsed []parsedClaim
	// states has one entry a claim, ranks its place in the order of admission.
	states []state
	ranks  []int
	// foreign are the objects and paths that belong to no claim.
	foreign, index *index
	broken         []finding.Finding
	// holder has what is in the files that the store has.
	holder map[identity]entry
	// texts has what sharing knows of files, each by its content in memory.
	texts map[*byte]*textFile
	units map[unitKey]kustomize.Unit
}

// parsedClaim is a claim with its files read.
type parsedClaim struct{ wanted, stored []entry }

func newSession(root Root) *session {
	s := &session{
		root: root, parsed: make([]parsedClaim, len(root.Claims)), states: make([]state, len(root.Claims)), ranks: make([]int, len(root.Claims)),
		foreign: newIndex(), index: newIndex(), holder: map[identity]entry{}, texts: map[*byte]*textFile{}, units: map[unitKey]kustomize.Unit{},
	}
	if s.root.Cache == nil {
		s.root.Cache = &kustomize.Cache{}
	}
	s.root.Cache.Load(s.contents())
	for rank, i := range s.order() {
		s.ranks[i] = rank
	}
	for _, entry := range s.parse(foreign, s.withoutHiding(root.Foreign), &s.broken) {
		s.foreign.add(entry)
	}
	for _, entry := range claimedPaths(foreign, Claim{}, root.Foreign) {
		s.foreign.add(entry)
	}
	return s
}

// contents gives every file that is read.
func (s *session) contents() [][]byte {
	var contents [][]byte
	add := func(files []File) {
		for _, file := range files {
			if kustomize.Loads(file.Path) {
				contents = append(contents, file.Content)
			}
		}
	}
	add(s.root.Foreign)
	for _, claim := range s.root.Claims {
		add(claim.Wanted)
		add(claim.Stored)
	}
	return contents
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
		stored := s.parse(i, claim.Stored, nil)
		for _, e := range stored {
			s.holder[e.id] = e
		}
		s.parsed[i].stored = slices.Concat(stored, claimedPaths(i, claim, claim.Stored), stakes(i, claim, stored))
		if claim.Kept {
			s.states[i] = kept
			continue
		}
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
	for i := range s.root.Claims {
		for _, entry := range s.current(i) {
			s.index.add(entry)
		}
	}
	if s.clashes(s.index) {
		s.index = s.foreign.clone()
		return false
	}
	for i, st := range s.states {
		if st == waiting {
			s.states[i] = admitted
		}
	}
	return true
}

// current gives what a claim has in the tree if it is written when it may be.
func (s *session) current(i int) []entry {
	if s.states[i] == waiting {
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
		progress = progress || s.admitTogether(order)
	}
}

// admit replaces a claim's stored objects by its wanted ones, unless one of
// these is there already.
func (s *session) admit(i int) bool {
	for _, entry := range s.parsed[i].stored {
		s.index.remove(entry)
	}
	if s.free(s.parsed[i].wanted) || s.unchanged(i) {
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
// hold back, even where it clashes. With Share that is only so if it has the
// very bytes, since others may rely on them.
func (s *session) unchanged(i int) bool {
	return len(s.parsed[i].stored) > 0 && slices.EqualFunc(s.parsed[i].stored, s.parsed[i].wanted, func(a, b entry) bool {
		return a.path == b.path && a.id == b.id && (s.root.Policy != Share || bytes.Equal(a.text, b.text))
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
		switch {
		case st == waiting && (s.root.Policy != Report || s.pathIsTaken(i)):
			held[i] = s.clashesInShort(i)
		case st == unbuildable && s.root.Policy != Report:
			held[i] = "Flux could not build " + s.root.Path.String() + " with it"
		case st == pinned:
			held[i] = "others share objects in its files, and cannot take them over now"
		}
	}
	return held
}

func (s *session) pathIsTaken(i int) bool {
	return slices.ContainsFunc(s.clashesOf(i), clash.isPath)
}
