package dedupe

import (
	"fmt"
	"iter"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// Obstacle is something in the store that is neither a file nor a directory, and
// that belongs to no placement.
type Obstacle struct {
	Path tree.Path
	// Kind is what it is, in words: "a symlink".
	Kind  string
	Place finding.Place
}

// pathKind is the way in which a claim has a path.
type pathKind uint8

const (
	// occupies: it has a file there, or the directory whole.
	occupies pathKind = iota
	// leads: it has files below it. Many claims may.
	leads
	// governs: it has a file in that directory which decides what Flux reads of
	// everything below.
	governs
)

// claimedPaths returns the paths that a claim with these files has to itself.
func (r *reader) claimedPaths(of *owner, claim Claim, files []File) []*entry {
	var entries []*entry
	switch {
	case len(files) == 0 || claim.Joined:
	case !claim.Dir.IsRoot():
		entries = append(entries, &entry{id: pathIdentity(claim.Dir), of: of, path: claim.Dir, place: finding.Place{Object: claim.Object}})
	default:
		for _, file := range files {
			entries = append(entries, &entry{id: pathIdentity(file.Path), of: of, path: file.Path, place: file.Place})
			if dir := file.Path.Dir(); of != nil && dir != r.root.Path && r.governsDirectory(file.Path) {
				entries = append(entries, &entry{id: pathIdentity(dir), of: of, path: file.Path, place: file.Place, kind: governs})
			}
		}
	}
	return entries
}

// governsDirectory reports whether a file decides what Flux reads of its directory.
func (r *reader) governsDirectory(p tree.Path) bool {
	if kustomize.IsKustomization(p) {
		return !r.root.Ignored.Has(p)
	}
	return kustomize.IsIgnoreFile(p) && (r.root.Allows == nil || !r.root.Allows(p.Base()))
}

// contested returns the paths at which something lies and below which something
// else does: no store can hold both.
func contested(paths iter.Seq[tree.Path]) map[tree.Path]bool {
	there := map[tree.Path]bool{}
	for p := range paths {
		there[p] = true
	}
	found := map[tree.Path]bool{}
	for p := range there {
		for dir := range above(p) {
			if there[dir] {
				found[dir] = true
			}
		}
	}
	return found
}

// above goes through the directories that a path lies in, without the top.
func above(p tree.Path) iter.Seq[tree.Path] {
	return func(yield func(tree.Path) bool) {
		for dir := p.Dir(); !dir.IsRoot(); dir = dir.Dir() {
			if !yield(dir) {
				return
			}
		}
	}
}

// allPaths goes through every path that anything has or wants below the root.
func (s *session) allPaths(yield func(tree.Path) bool) {
	for i := range s.root.Claims {
		claim := &s.root.Claims[i]
		for _, files := range [][]File{claim.Stored, claim.Wanted} {
			for p := range s.pathsOf(&owner{}, *claim, files) {
				if !yield(p.path) {
					return
				}
			}
		}
	}
	for _, file := range s.root.Foreign {
		if !yield(file.Path) {
			return
		}
	}
	for _, obstacle := range s.root.Obstacles {
		if !yield(obstacle.Path) {
			return
		}
	}
}

// claimedPath is a path of a claim, and what findings name for it.
type claimedPath struct {
	path  tree.Path
	place finding.Place
	kind  pathKind
}

// pathsOf goes through the paths that a claim with these files has. Of one that
// has a directory whole the files count only where something of nobody's can be
// among them.
func (s *session) pathsOf(of *owner, claim Claim, files []File) iter.Seq[claimedPath] {
	return func(yield func(claimedPath) bool) {
		for _, e := range s.claimedPaths(of, claim, files) {
			if !s.governsInVain(e) && !yield(claimedPath{e.at(), e.place, e.kind}) {
				return
			}
		}
		if claim.Joined || claim.Dir.IsRoot() || len(s.root.Obstacles) == 0 {
			return
		}
		for _, file := range files {
			if !yield(claimedPath{file.Path, file.Place, occupies}) {
				return
			}
		}
	}
}

// governsInVain reports whether an entry is of a kustomization that is reported by
// itself and left out.
func (s *session) governsInVain(e *entry) bool { return e.kind == governs && s.hiding[e.path] }

// withPaths adds to the entries of a claim those for the contested paths.
func (s *session) withPaths(entries []*entry, of *owner, claim Claim, files []File) []*entry {
	if len(s.contested) == 0 {
		return entries
	}
	entries = slices.DeleteFunc(slices.Clone(entries), s.governsInVain)
	has := map[tree.Path]bool{}
	if of == nil {
		has = s.wholes() // what is in there belongs to the claim
	}
	var more []*entry
	add := func(at tree.Path, p claimedPath, kind pathKind) {
		if s.contested[at] && !has[at] {
			has[at] = true
			more = append(more, &entry{id: pathIdentity(at), of: of, path: p.path, place: p.place, kind: kind})
		}
	}
	for _, e := range entries {
		if e.id.isPath() {
			has[e.at()] = true
		}
	}
	for p := range s.pathsOf(of, claim, files) {
		add(p.path, p, p.kind)
	}
	for p := range s.pathsOf(of, claim, files) {
		for dir := range above(p.path) {
			add(dir, p, leads)
		}
	}
	return append(entries, more...)
}

// wholes returns the directories that claims have whole.
func (s *session) wholes() map[tree.Path]bool {
	dirs := map[tree.Path]bool{}
	for i := range s.root.Claims {
		dirs[s.root.Claims[i].Dir] = true
	}
	return dirs
}

// obstacleEntries returns the entries of what is no file.
func (s *session) obstacleEntries() []*entry {
	var entries []*entry
	wholes := s.wholes()
	for _, o := range s.root.Obstacles {
		entries = append(entries, &entry{id: pathIdentity(o.Path), path: o.Path, place: o.Place, kind: occupies})
		for dir := range above(o.Path) {
			if s.contested[dir] && !wholes[dir] && len(s.foreign.at(pathIdentity(dir))) == 0 {
				entries = append(entries, &entry{id: pathIdentity(dir), path: o.Path, place: o.Place, kind: leads})
			}
		}
	}
	return entries
}

// at returns the path that an entry is about.
func (e *entry) at() tree.Path {
	switch e.kind {
	case occupies:
		return e.path
	case governs:
		return e.path.Dir()
	}
	p, _ := tree.ParsePath(e.id.object.Name) // it was one
	return p
}

// explainPath says what is wrong with a path that two have.
func (s *session) explainPath(c clash) (finding.Rule, string) {
	at := c.later.at()
	switch {
	case c.later.kind == governs:
		return finding.ReservedName(), fmt.Sprintf("it would decide what Flux reads of %s, where others have files", at)
	case c.first.kind == governs:
		return finding.PathTaken(), fmt.Sprintf("%s is another's: its %s decides what Flux reads there", at, c.first.path.Base())
	case c.later.kind == leads:
		return finding.PathTaken(), fmt.Sprintf("%s is %s, so nothing else can lie below it", at, s.whatIs(c.first))
	case c.first.kind == leads:
		return finding.PathTaken(), fmt.Sprintf("%s is a directory in which another has files", at)
	}
	return finding.PathTaken(), at.String() + " is another's"
}

// whatIs says what lies at the path of an entry.
func (s *session) whatIs(e *entry) string {
	if e.of == nil {
		return s.kindOf(e)
	}
	if s.root.Claims[e.claim()].Dir == e.path {
		return "another's directory"
	}
	return "another's file"
}

// kindOf says what it is that belongs to no placement.
func (s *session) kindOf(e *entry) string {
	for _, o := range s.root.Obstacles {
		if o.Path == e.path {
			return o.Kind
		}
	}
	return "a file"
}

// pathCounts counts the claimed paths of a root by the directories that they are
// in, so that it is known at a glance whether any is contested. Of a directory there
// is a sum, as in a Digest, which takes half the memory of its path.
type pathCounts struct {
	below map[digestSum]int32
	// contested counts the paths with an entry that are such a directory too.
	contested int
}

// add takes in a path; first means that it is the only entry there.
func (c *pathCounts) add(e *entry, first bool, x *index) {
	if first && c.below[directorySum(e.at())] > 0 {
		c.contested++
	}
	if c.below == nil {
		c.below = map[digestSum]int32{}
	}
	for dir := range above(e.path) {
		key := directorySum(dir)
		c.below[key]++
		if c.below[key] == 1 && x.count(pathIdentity(dir)) > 0 {
			c.contested++
		}
	}
}

// remove takes out a path; last means that no entry is left there.
func (c *pathCounts) remove(e *entry, last bool, x *index) {
	if last && c.below[directorySum(e.at())] > 0 {
		c.contested--
	}
	for dir := range above(e.path) {
		key := directorySum(dir)
		if c.below[key]--; c.below[key] > 0 {
			continue
		}
		delete(c.below, key)
		if x.count(pathIdentity(dir)) > 0 {
			c.contested--
		}
	}
}

func directorySum(dir tree.Path) digestSum { return sumOfWords("directory", dir.String()) }
