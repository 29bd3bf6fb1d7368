package dedupe

import (
	"hash/maphash"
	"iter"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// claimedPaths returns the entries for the paths of a claim with the given files.
func claimedPaths(root *Root, of *claimant, claim *Claim, files []File) []*entry {
	var entries []*entry
	switch {
	case len(files) == 0 || claim.Joined:
	case !claim.Dir.IsRoot():
		entries = append(entries, &entry{id: pathIdentity(claim.Dir), of: of, path: claim.Dir, place: finding.Place{Object: claim.Object}})
	default:
		for _, file := range files {
			entries = append(entries, &entry{id: pathIdentity(file.Path), of: of, path: file.Path, place: file.Place})
			if dir := file.Path.Dir(); of != nil && dir != root.Path && root.governsDirectory(file.Path) {
				entries = append(entries, &entry{id: pathIdentity(dir), of: of, path: file.Path, place: file.Place, kind: governs})
			}
		}
	}
	return entries
}

func (r *Root) governsDirectory(p tree.Path) bool {
	if kustomize.IsKustomization(p) {
		return !r.Ignored.Has(p)
	}
	return kustomize.IsIgnoreFile(p) && (r.Allows == nil || !r.Allows(p.Base()))
}

// above yields the directories that contain a path, except the top.
func above(p tree.Path) iter.Seq[tree.Path] {
	return func(yield func(tree.Path) bool) {
		for dir := p.Dir(); !dir.IsRoot(); dir = dir.Dir() {
			if !yield(dir) {
				return
			}
		}
	}
}

// pathCounts counts the entries below each directory of a root, to find contested paths.
type pathCounts struct {
	seed  maphash.Seed
	below map[uint64]int32
	// contested is the number of paths with an entry that are also a directory with entries.
	contested int
}

// add adds the path of an entry. first means that it is the only entry at this path.
func (c *pathCounts) add(e *entry, first bool, x *index) {
	if c.below == nil {
		c.seed, c.below = maphash.MakeSeed(), map[uint64]int32{}
	}
	if first && c.below[c.hash(e.at())] > 0 {
		c.contested++
	}
	for dir := range above(e.path) {
		key := c.hash(dir)
		c.below[key]++
		if c.below[key] == 1 && x.count(pathIdentity(dir)) > 0 {
			c.contested++
		}
	}
}

// remove removes the path of an entry. last means that no other entry is at this path.
func (c *pathCounts) remove(e *entry, last bool, x *index) {
	if last && c.below[c.hash(e.at())] > 0 {
		c.contested--
	}
	for dir := range above(e.path) {
		key := c.hash(dir)
		if c.below[key]--; c.below[key] > 0 {
			continue
		}
		delete(c.below, key)
		if x.count(pathIdentity(dir)) > 0 {
			c.contested--
		}
	}
}

func (c *pathCounts) hash(dir tree.Path) uint64 { return maphash.String(c.seed, dir.String()) }
