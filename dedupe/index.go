package dedupe

import (
	"maps"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/finding"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
	"github.com/kratix-schedule/kratix-schedule/tree"
)

// foreign is the claim of what belongs to no placement.
const foreign = -1

// identity is what only one claim can have: an object, or a path.
type identity struct {
	object kustomize.ID
	path   tree.Path
}

// isPath tells a path from an object.
func (id identity) isPath() bool { return id.object == kustomize.ID{} }

// entry is one object in one file of one claim, or one path that it claims.
type entry struct {
	id    identity
	claim int
	path  tree.Path
	place finding.Place
	// position is the object's in its file, in the order kustomize takes them.
	position int
	// text is the file; nil when the object is not a document of one.
	text []byte
	// defines is what a CustomResourceDefinition defines.
	defines *kustomize.Definition
	// stake tells that the object is in another claim's file.
	stake bool
}

// index knows every object and every claimed path of a root.
type index struct {
	byID map[identity][]entry
}

func newIndex() *index { return &index{byID: map[identity][]entry{}} }

func (x *index) clone() *index {
	copied := maps.Clone(x.byID)
	for id, entries := range copied {
		copied[id] = slices.Clip(entries)
	}
	return &index{byID: copied}
}

func (x *index) add(e entry) { x.byID[e.id] = append(x.byID[e.id], e) }

func (x *index) remove(e entry) {
	rest := slices.DeleteFunc(slices.Clone(x.byID[e.id]), func(other entry) bool {
		return other.claim == e.claim && other.path == e.path && other.position == e.position
	})
	if len(rest) == 0 {
		delete(x.byID, e.id)
		return
	}
	x.byID[e.id] = rest
}

// all gives every entry, objects in the order in which kustomize meets them.
func (x *index) all() []entry {
	entries := make([]entry, 0, len(x.byID))
	for _, some := range x.byID {
		entries = append(entries, some...)
	}
	slices.SortFunc(entries, compareEntries)
	return entries
}

// repeated gives the entries of what is there more than once, in that order.
func (x *index) repeated() []entry {
	var entries []entry
	for _, some := range x.byID {
		if len(some) > 1 {
			entries = append(entries, some...)
		}
	}
	slices.SortFunc(entries, compareEntries)
	return entries
}
