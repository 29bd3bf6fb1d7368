package dedupe

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// parsed is the second stage of a check: a root with the stored and wanted entries of each claim.
type parsed struct {
	root *Root
	// order contains the claims in the order of admission. ranks contains the position of each
	// claim in this order.
	order, ranks []int
	claims       []claimEntries
	states       []state
	foreign      *index
	directories  []*directory
	copies       *copies
	hiding       map[tree.Path]bool
	// wantedTree returns the files of the root if no claim is quarantined.
	wantedTree    func() []tree.File
	broken, notes []finding.Finding
	counts        counts
}

type claimEntries struct{ wanted, stored []*entry }

type state int

const (
	// eligible means that the claim is admitted unless it conflicts. A claim that is still eligible
	// after the admission has a conflict.
	eligible state = iota
	admitted
	// unbuildable means that the claim has a file that Flux cannot build.
	unbuildable
	kept
	// pinned means that the claim must keep its stored files, because other claims need the shared
	// objects in them.
	pinned
)

func parse(root *Root, x *rootIndex) *parsed {
	p := &parsed{
		root: root, order: admissionOrder(root.Claims), ranks: make([]int, len(root.Claims)),
		claims: make([]claimEntries, len(root.Claims)), states: make([]state, len(root.Claims)), foreign: newIndex(),
		copies: &copies{policy: root.Policy, holders: map[identity]*entry{}, files: map[*byte]*fileCopies{}},
		counts: x.counts,
	}
	for rank, i := range p.order {
		p.ranks[i] = rank
	}
	var found fileFindings
	if x.kustomizations > 0 {
		p.hiding, found.broken = findHiding(root, p.ranks)
	}
	p.wantedTree = sync.OnceValue(func() []tree.File {
		return layOut(root, p.hiding, func(i int) []File { return root.Claims[i].intended() })
	})
	sets := fileSets(root, x)
	for i := range sets {
		sets[i].split(root, p.hiding, p.wantedTree)
		p.directories = append(p.directories, sets[i].directories...)
	}
	contested := newContestedPaths(root, p.hiding)
	for i := range sets {
		set, own := &sets[i], fileFindings{}
		entries := contested.addTo(p.entries(set, &own), set.of, set.claim, set.files)
		switch {
		case set.of == nil:
			p.foreign.add(entries...)
			contested.addObstacles(p.foreign)
		case set.stored:
			p.setStored(set, entries)
			continue // findings about stored files are not reported
		default:
			p.setWanted(set, entries, &own)
		}
		found.add(&own)
	}
	p.broken, p.notes = found.broken, found.notes
	return p
}

// fileSets returns the foreign files, the stored files of each claim, and the wanted files of each
// claim that is not Kept.
func fileSets(root *Root, x *rootIndex) []fileSet {
	sets := make([]fileSet, 1, 1+2*len(root.Claims))
	sets[0] = fileSet{claim: &Claim{}, files: root.Foreign, parsed: x.foreign.ifPlain()}
	var contents [][]byte
	for i := range root.Claims {
		claim, k := &root.Claims[i], x.claims[i]
		stored := fileSet{of: &k.claimant, claim: claim, files: claim.Stored, stored: true}
		if sameFiles(k.files, claim.Stored) {
			stored.parsed = k.ifPlain()
		} else {
			contents = appendContents(contents, claim.Stored)
		}
		sets = append(sets, stored)
		if !claim.Kept {
			sets = append(sets, fileSet{of: &k.claimant, claim: claim, files: claim.Wanted, parsed: k.ifPlain()})
		}
	}
	root.Cache.Load(contents)
	return sets
}

// ifPlain returns the parsed claim, or nil if it has a kustomization.
func (k *parsedClaim) ifPlain() *parsedClaim {
	if k.kustomizations > 0 {
		return nil
	}
	return k
}

// admissionOrder returns the claims in the order of admission: those with stored files first, then
// by creation time and name.
func admissionOrder(claims []Claim) []int {
	order := make([]int, len(claims))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := &claims[a], &claims[b]
		return cmp.Or(
			cmp.Compare(min(1, len(y.Stored)), min(1, len(x.Stored))),
			x.Rank.Created.Compare(y.Rank.Created),
			strings.Compare(x.Rank.Name, y.Rank.Name),
		)
	})
	return order
}

func (p *parsed) entries(set *fileSet, found *fileFindings) []*entry {
	if set.parsed != nil {
		found.add(set.parsed.found)
		return set.parsed.entries
	}
	if set.stored {
		found = nil
	}
	var entries []*entry
	for _, file := range set.plain {
		entries = append(entries, parseFile(p.root, set.of, file, found)...)
	}
	for _, d := range set.directories {
		entries = append(entries, d.objects(p.root, p.directories, p.wantedTree, found)...)
	}
	found.noteNothing(set.claim, entries)
	return append(entries, claimedPaths(p.root, set.of, set.claim, set.files)...)
}

func (p *parsed) setStored(set *fileSet, entries []*entry) {
	for _, e := range entries {
		if !e.id.isPath() {
			p.copies.holders[e.id] = e
		}
	}
	p.claims[set.of.at].stored = slices.Concat(entries, sharedElsewhere(set.of, set.claim, entries))
	if set.claim.Kept {
		p.states[set.of.at] = kept
	}
}

// sharedElsewhere returns entries for the shared objects of a claim that are in the file of another
// claim.
func sharedElsewhere(of *claimant, claim *Claim, stored []*entry) []*entry {
	var entries []*entry
	for _, shared := range claim.Shared {
		id := identity{object: shared.Object}
		if !slices.ContainsFunc(stored, func(e *entry) bool { return e.id == id }) {
			entries = append(entries, &entry{id: id, of: of, elsewhere: true})
		}
	}
	return entries
}

func (p *parsed) setWanted(set *fileSet, entries []*entry, found *fileFindings) {
	p.claims[set.of.at].wanted = entries
	if len(found.broken) > 0 || slices.ContainsFunc(set.files, func(f File) bool { return p.hiding[f.Path] }) {
		p.states[set.of.at] = unbuildable
	}
}

// rankOf returns the position of a claim in the order of admission, or -1 for foreign files.
func (p *parsed) rankOf(of *claimant) int {
	if of == nil {
		return -1
	}
	return p.ranks[of.at]
}
