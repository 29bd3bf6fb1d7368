package dedupe

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// Check decides which claims may be written:
//
//  1. A claim with a file that Flux cannot build is held.
//  2. If all others fit together, all are written.
//  3. Else they are admitted one by one, the claims on what is in the store
//     already before new ones, then by rank, each if it clashes with nothing
//     that is there. A claim that waits for an object which a later one drops
//     up is tried again.
//
// Holding back never removes anything: a held claim keeps what it has stored.
func Check(root Root) Verdict {
	if root.Cache == nil {
		root.Cache = &kustomize.Cache{}
	}
	known := root.Memory.root(root)
	known.update(&reader{root})
	if known.settled() && len(root.Obstacles) == 0 {
		s := &session{reader: reader{root}, index: known.index, quick: true}
		return Verdict{Findings: append(known.allNotes(root.Claims), s.checkCost(known.objects, known.bytes)...), decided: s}
	}
	s := newSession(root, known)
	for s.decide(); s.pinHolders() || s.holdDirectories(); s.decide() {
	}
	s.quoteLate()
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
	reader
	// known is what was read of the claims one by one.
	known  *remembered
	parsed []parsedClaim
	// states has one entry a claim, ranks its place in the order of admission.
	states []state
	ranks  []int
	// foreign are the objects and paths that belong to no claim.
	foreign, index *index
	// found is what is wrong with files, but for clashes.
	found troubles
	// contested are the paths that cannot be a file and a directory at once.
	contested map[tree.Path]bool
	// holder has what is in the files that the store has.
	holder map[identity]*entry
	// texts has what sharing knows of files, each by its content in memory.
	texts map[*byte]*textFile
	// hiding are kustomizations that are left out; see withoutHiding.
	hiding      map[tree.Path]bool
	directories []*directory
	// unquoted are directories whose findings still lack the words of Flux.
	unquoted []*directory
	// laidOut is the tree as it is wanted.
	laidOut []tree.File
	// together means that what fails only together was reported.
	together bool
	// quick means that there was nothing to decide.
	quick bool
}

// parsedClaim is a claim with its files read.
type parsedClaim struct {
	of             *owner
	wanted, stored []*entry
}

func newSession(root Root, known *remembered) *session {
	s := &session{
		reader: reader{root}, known: known,
		parsed: make([]parsedClaim, len(root.Claims)), states: make([]state, len(root.Claims)), ranks: make([]int, len(root.Claims)),
		foreign: newIndex(), index: newIndex(), holder: map[identity]*entry{}, texts: map[*byte]*textFile{},
	}
	for rank, i := range s.order() {
		s.ranks[i] = rank
	}
	s.contested = contested(s.allPaths)
	for _, o := range root.Obstacles {
		s.contested[o.Path] = true // nothing can be at its place either
	}
	s.withoutHiding()
	var stored [][]byte
	for i := range root.Claims {
		s.parsed[i].of = &known.claims[i].owner
		if !s.storesWhatIsKnown(i) {
			stored = s.appendContents(stored, root.Claims[i].Stored)
		}
	}
	s.root.Cache.Load(stored)
	for _, e := range s.read(nil, &known.foreign, Claim{}, root.Foreign, &s.found) {
		s.foreign.add(e)
	}
	for _, e := range s.obstacleEntries() {
		s.foreign.add(e)
	}
	for i := range root.Claims {
		s.readClaim(i)
	}
	s.quoteDirectories()
	return s
}

// read returns the entries of a claim's files, with those of contested paths.
func (s *session) read(of *owner, k *known, claim Claim, files []File, found *troubles) []*entry {
	return s.withPaths(s.readFiles(of, k, claim, files, found), of, claim, files)
}

// readFiles returns the entries of a claim's files: those that are known, unless a
// kustomization somewhere may have changed what they mean.
func (s *session) readFiles(of *owner, k *known, claim Claim, files []File, found *troubles) []*entry {
	if k != nil && s.known.kustomizations == 0 {
		found.add(k.found)
		return k.entries
	}
	own := troubles{dropped: found.dropped}
	entries := s.parse(of, files, &own)
	own.noteNothing(&claim, entries)
	found.add(&own)
	return append(entries, s.claimedPaths(of, claim, files)...)
}

// storesWhatIsKnown reports whether the store has just the files that were read.
func (s *session) storesWhatIsKnown(i int) bool {
	return sameFiles(s.known.claims[i].files, s.root.Claims[i].Stored)
}

// readClaim reads what a claim has and what it wants, and sets it aside if Flux
// cannot build that.
func (s *session) readClaim(i int) {
	claim, of, k := s.root.Claims[i], s.parsed[i].of, s.known.claims[i]
	var same *known
	if s.storesWhatIsKnown(i) {
		same = k
	}
	stored := s.read(of, same, claim, claim.Stored, &troubles{dropped: true})
	for _, e := range stored {
		if !e.id.isPath() {
			s.holder[e.id] = e
		}
	}
	s.parsed[i].stored = slices.Concat(stored, stakes(of, claim, stored))
	if claim.Kept {
		s.states[i] = kept
		return
	}
	before := len(s.found.broken)
	s.parsed[i].wanted = s.read(of, k, claim, claim.Wanted, &s.found)
	if len(s.found.broken) > before || s.hides(claim) {
		s.states[i] = unbuildable
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

// current returns what a claim has in the tree if it is written when it may be.
func (s *session) current(i int) []*entry {
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

// unchanged reports whether a claim wants what it has: then there is nothing to
// hold back, even where it clashes. With Share that is only so if it has the
// very bytes, since others may rely on them.
func (s *session) unchanged(i int) bool {
	return len(s.parsed[i].stored) > 0 && slices.EqualFunc(s.parsed[i].stored, s.parsed[i].wanted, func(a, b *entry) bool {
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

// held returns the claims that may not be written, and why in short.
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
