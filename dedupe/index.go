package dedupe

import (
	"iter"
	"maps"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// foreign is the claim of what belongs to no placement.
const foreign = -1

// identity is what only one claim can have: an object, or a path.
type identity struct{ object kustomize.ID }

// pathIdentity makes an identity of a path: no object is without a kind.
func pathIdentity(path tree.Path) identity { return identity{kustomize.ID{Name: path.String()}} }

// isPath reports whether it is a path and no object.
func (id identity) isPath() bool { return id.object.Kind == "" }

// owner is who has an entry: a claim, by its place among the Root's claims in
// this check.
type owner struct{ at int }

// entry is one object in one file of one claim, or one path that it claims.
type entry struct {
	id identity
	// of is nil for what belongs to no placement.
	of    *owner
	path  tree.Path
	place finding.Place
	// position is the object's in its file, in the order kustomize takes them.
	position int
	// text is the file; nil when the object is not a document of one.
	text []byte
	// defines is what a CustomResourceDefinition defines.
	defines *kustomize.Definition
	// notApplied means that Flux leaves the object out.
	notApplied bool
	// stake means that the object is in another claim's file.
	stake bool
	// kind is the way in which the claim has a path.
	kind pathKind
}

// claim returns the place of the entry's claim among the Root's.
func (e *entry) claim() int {
	if e.of == nil {
		return foreign
	}
	return e.of.at
}

// index knows every object and every claimed path of a root.
type index struct {
	// single has what is there once, which is nearly everything.
	single map[identity]*entry
	// repeated has what is there more than once, in the order it came.
	repeated map[identity][]*entry
}

func newIndex() *index {
	return &index{single: map[identity]*entry{}, repeated: map[identity][]*entry{}}
}

func (x *index) clone() *index {
	copied := &index{single: maps.Clone(x.single), repeated: maps.Clone(x.repeated)}
	for id, entries := range copied.repeated {
		copied.repeated[id] = slices.Clip(entries)
	}
	return copied
}

// at returns the entries of an identity.
func (x *index) at(id identity) []*entry {
	if e, there := x.single[id]; there {
		return []*entry{e}
	}
	return x.repeated[id]
}

// count is how many there are of an identity.
func (x *index) count(id identity) int {
	if _, there := x.single[id]; there {
		return 1
	}
	return len(x.repeated[id])
}

// all returns every identity with its entries.
func (x *index) all() iter.Seq2[identity, []*entry] {
	return func(yield func(identity, []*entry) bool) {
		for id, e := range x.single {
			if !yield(id, []*entry{e}) {
				return
			}
		}
		for id, entries := range x.repeated {
			if !yield(id, entries) {
				return
			}
		}
	}
}

func (x *index) add(e *entry) {
	if there := x.at(e.id); len(there) > 0 {
		delete(x.single, e.id)
		x.repeated[e.id] = append(there, e)
		return
	}
	x.single[e.id] = e
}

func (x *index) remove(e *entry) {
	rest := slices.DeleteFunc(slices.Clone(x.at(e.id)), func(other *entry) bool { return same(other, e) })
	delete(x.single, e.id)
	delete(x.repeated, e.id)
	switch len(rest) {
	case 0:
	case 1:
		x.single[e.id] = rest[0]
	default:
		x.repeated[e.id] = rest
	}
}

// doubled returns the entries of what is there more than once, in the order in
// which kustomize meets them.
func (x *index) doubled() []*entry {
	var entries []*entry
	for _, some := range x.repeated {
		entries = append(entries, some...)
	}
	slices.SortFunc(entries, compareEntries)
	return entries
}
