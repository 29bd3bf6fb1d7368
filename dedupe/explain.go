package dedupe

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// compareEntries is the order in which kustomize meets objects.
func compareEntries(a, b *entry) int {
	if c := cmp.Or(
		tree.Compare(a.path, b.path),
		cmp.Compare(a.claim(), b.claim()), // parts of one file
		cmp.Compare(a.position, b.position),
	); c != 0 {
		return c
	}
	return kustomize.Compare(a.id.object, b.id.object) // the directories above one file
}

// findings names every clash: those of the claims that are held, and those
// that are in the tree already.
func (s *session) findings() []finding.Finding {
	findings := slices.Concat(s.found.broken, s.found.notes)
	for i, st := range s.states {
		if st == waiting || st == unbuildable {
			findings = s.appendClashes(findings, s.clashesOf(i))
		}
	}
	for _, e := range s.index.doubled() {
		if first := s.index.at(e.id)[0]; !e.stake && !first.stake && !same(first, e) && !s.compatible(first, e) {
			findings = append(findings, s.finding(clash{e, first}))
		}
	}
	findings = s.quoteFlux(findings)
	return append(findings, s.checkCost(s.known.objects, s.known.bytes)...)
}

// maxClashes is how many conflicts of a claim are named: a small file can have
// thousands.
const maxClashes = 100

// appendClashes adds a finding for each of the first conflicts of a claim; the last
// of them says how many more there are.
func (s *session) appendClashes(findings []finding.Finding, clashes []clash) []finding.Finding {
	for _, c := range clashes[:min(len(clashes), maxClashes)] {
		findings = append(findings, s.finding(c))
	}
	if more := len(clashes) - maxClashes; more > 0 {
		findings[len(findings)-1].Message += fmt.Sprintf("; %d more conflicts of the same Work are not listed", more)
	}
	return findings
}

// clash is one object in two places, or one path that two claim.
type clash struct{ later, first *entry }

func (c clash) isPath() bool { return c.later.id.isPath() }

// clashesOf returns each object of a held claim that is somewhere else too. Where
// even a path is taken, the objects are beside the point.
func (s *session) clashesOf(i int) []clash {
	clashes := s.allClashesOf(i)
	if slices.ContainsFunc(clashes, clash.isPath) {
		return slices.DeleteFunc(clashes, func(c clash) bool { return !c.isPath() })
	}
	return clashes
}

func (s *session) allClashesOf(i int) []clash {
	var clashes []clash
	own := map[identity]*entry{}
	for _, e := range s.parsed[i].wanted {
		if first, twice := own[e.id]; twice {
			clashes = append(clashes, clash{e, first})
			continue
		}
		own[e.id] = e
		if other, taken := s.taken(e); taken {
			clashes = append(clashes, clash{e, other})
		}
	}
	return clashes
}

// clashesInShort says in a few words why a claim is held.
func (s *session) clashesInShort(i int) string {
	switch clashes := s.clashesOf(i); {
	case len(clashes) > 0 && clashes[0].isPath():
		return "another has its path"
	case len(clashes) == 1:
		return "one of its objects is in " + s.root.Path.String() + " already"
	default:
		return fmt.Sprintf("%d of its objects are in %s already", len(clashes), s.root.Path)
	}
}

// taken returns who else has an entry's object in the tree.
func (s *session) taken(e *entry) (*entry, bool) {
	for _, other := range s.index.at(e.id) {
		if other.claim() != e.claim() && !s.compatible(e, other) {
			return other, true
		}
	}
	return nil, false
}

func same(a, b *entry) bool {
	return a.claim() == b.claim() && a.path == b.path && a.position == b.position
}

func (s *session) finding(c clash) finding.Finding {
	f := finding.Finding{
		Rule: finding.DuplicateObject(), Place: c.later.place,
		Message: fmt.Sprintf("%s is in %s already%s", c.later.id.object, s.root.Path, s.difference(c)),
		Related: []finding.Related{{Place: s.placeOf(c.first), Message: s.owner(c.first)}},
	}
	if c.isPath() {
		f.Rule, f.Message = s.explainPath(c)
	}
	return f
}

func (s *session) owner(e *entry) string {
	if e.of == nil {
		return s.kindOf(e) + " in the store that belongs to no placement"
	}
	return s.root.Claims[e.claim()].Owner
}
