package dedupe

import (
	"cmp"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

const noClaim = -1

// identity identifies an object or a path. Entries of different claims with the same identity
// conflict, unless copies.compatible allows them.
type identity struct{ object kustomize.ID }

// pathIdentity returns the identity of a path, which has no kind.
func pathIdentity(path tree.Path) identity { return identity{kustomize.ID{Name: path.String()}} }

func (id identity) isPath() bool { return id.object.Kind == "" }

// claimant is a claim, as a position in Root.Claims.
type claimant struct{ at int }

// entry is one object in one file of a claim, or one path that a claim has.
type entry struct {
	id identity
	// of is the claim of the entry. It is nil for a foreign entry.
	of       *claimant
	path     tree.Path
	place    finding.Place
	position int
	// text is the content of the file. It is nil if the object is not a document of a file.
	text    []byte
	defines *kustomize.Definition
	// notApplied means that Flux leaves the object out.
	notApplied bool
	// elsewhere means that the object is shared and in the file of another claim.
	elsewhere bool
	kind      pathKind
}

type pathKind uint8

const (
	// occupies means that the path is taken by a file, an obstacle or the directory of a claim.
	occupies pathKind = iota
	// leads means that the path is a directory above files. Several claims may have such a path.
	leads
	// governs means that a file in the directory determines which files Flux reads there.
	governs
)

func newObject(of *claimant, object kustomize.Object, path tree.Path, place finding.Place, n int) *entry {
	return &entry{
		id: identity{object: object.ID}, of: of, path: path, place: place, position: n,
		defines: object.Defines, notApplied: !object.Outcome.Applied(),
	}
}

func (e *entry) claim() int {
	if e.of == nil {
		return noClaim
	}
	return e.of.at
}

func (e *entry) at() tree.Path {
	switch e.kind {
	case occupies:
		return e.path
	case governs:
		return e.path.Dir()
	}
	p, _ := tree.ParsePath(e.id.object.Name) // the identity of a path has the path as its name
	return p
}

// same reports whether two entries with the same identity are the same object of the same file.
func same(a, b *entry) bool {
	return a.claim() == b.claim() && a.path == b.path && a.position == b.position
}

func compareEntries(a, b *entry) int {
	if c := cmp.Or(
		tree.Compare(a.path, b.path),
		cmp.Compare(a.claim(), b.claim()), // orders claims with parts of one joined file
		cmp.Compare(a.position, b.position),
	); c != 0 {
		return c
	}
	return kustomize.Compare(a.id.object, b.id.object) // orders the entries for the directories above one file
}
