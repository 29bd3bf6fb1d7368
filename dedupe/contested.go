package dedupe

import (
	"maps"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// contested returns those of the paths that contain another of the paths.
func contested(paths []tree.Path) map[tree.Path]bool {
	there := map[tree.Path]bool{}
	for _, p := range paths {
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

// contestedPaths adds entries for the contested paths of a root. In the index, a claim to such a
// path then conflicts with a claim to files below it.
type contestedPaths struct {
	root *Root
	// contested are the paths of obstacles, and the paths that are a file for one entry and a
	// directory for another.
	contested map[tree.Path]bool
	dirs      map[tree.Path]bool
	hiding    map[tree.Path]bool
}

func newContestedPaths(root *Root, hiding map[tree.Path]bool) *contestedPaths {
	c := &contestedPaths{root: root, hiding: hiding, dirs: map[tree.Path]bool{}}
	for i := range root.Claims {
		c.dirs[root.Claims[i].Dir] = true
	}
	c.contested = contested(c.allPaths())
	for _, o := range root.Obstacles {
		c.contested[o.Path] = true // nothing else can be at the path of an obstacle
	}
	return c
}

func (c *contestedPaths) allPaths() []tree.Path {
	var paths []tree.Path
	for i := range c.root.Claims {
		claim := &c.root.Claims[i]
		for _, files := range [][]File{claim.Stored, claim.Wanted} {
			for _, e := range c.pathsOf(&claimant{}, claim, files) {
				paths = append(paths, e.at())
			}
		}
	}
	for _, file := range c.root.Foreign {
		paths = append(paths, file.Path)
	}
	for _, obstacle := range c.root.Obstacles {
		paths = append(paths, obstacle.Path)
	}
	return paths
}

// pathsOf returns the entries for the paths of a claim with the given files.
func (c *contestedPaths) pathsOf(of *claimant, claim *Claim, files []File) []*entry {
	paths := claimedPaths(c.root, of, claim, files)
	if claim.Joined || claim.Dir.IsRoot() || len(c.root.Obstacles) == 0 {
		return paths
	}
	for _, file := range files {
		paths = append(paths, &entry{id: pathIdentity(file.Path), of: of, path: file.Path, place: file.Place})
	}
	return paths
}

// governsNothing reports whether an entry is for a kustomization in hiding.
func (c *contestedPaths) governsNothing(e *entry) bool { return e.kind == governs && c.hiding[e.path] }

func (c *contestedPaths) addTo(entries []*entry, of *claimant, claim *Claim, files []File) []*entry {
	if len(c.contested) == 0 {
		return entries
	}
	entries = slices.DeleteFunc(slices.Clone(entries), c.governsNothing)
	has := map[tree.Path]bool{}
	if of == nil {
		has = maps.Clone(c.dirs) // a foreign file gets no entry for the directory of a claim
	}
	for _, e := range entries {
		if e.id.isPath() {
			has[e.at()] = true
		}
	}
	add := func(at tree.Path, e *entry, kind pathKind) {
		if c.contested[at] && !has[at] {
			has[at] = true
			entries = append(entries, &entry{id: pathIdentity(at), of: of, path: e.path, place: e.place, kind: kind})
		}
	}
	paths := slices.DeleteFunc(c.pathsOf(of, claim, files), c.governsNothing)
	for _, e := range paths {
		add(e.at(), e, e.kind)
	}
	for _, e := range paths {
		for dir := range above(e.at()) {
			add(dir, e, leads)
		}
	}
	return entries
}

func (c *contestedPaths) addObstacles(foreign *index) {
	var entries []*entry
	for _, o := range c.root.Obstacles {
		entries = append(entries, &entry{id: pathIdentity(o.Path), path: o.Path, place: o.Place, kind: occupies})
		for dir := range above(o.Path) {
			if c.contested[dir] && !c.dirs[dir] && len(foreign.at(pathIdentity(dir))) == 0 {
				entries = append(entries, &entry{id: pathIdentity(dir), path: o.Path, place: o.Place, kind: leads})
			}
		}
	}
	foreign.add(entries...)
}
