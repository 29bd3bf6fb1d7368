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

// entry is one object in one file of one claim.
type entry struct {
	claim  int
	path   tree.Path
	place  finding.Place
	object kustomize.Object
	// position is the object's in its file, in the order kustomize takes them.
	position int
}

// index knows every object of a root by its id.
type index struct {
	byID map[kustomize.ID][]entry
}

func newIndex() *index { return &index{byID: map[kustomize.ID][]entry{}} }

func (x *index) clone() *index {
	copied := maps.Clone(x.byID)
	for id, entries := range copied {
		copied[id] = slices.Clip(entries)
	}
	return &index{byID: copied}
}

func (x *index) add(e entry) { x.byID[e.object.ID] = append(x.byID[e.object.ID], e) }

func (x *index) remove(e entry) {
	rest := slices.DeleteFunc(slices.Clone(x.byID[e.object.ID]), func(other entry) bool {
		return other.claim == e.claim && other.path == e.path && other.position == e.position
	})
	if len(rest) == 0 {
		delete(x.byID, e.object.ID)
		return
	}
	x.byID[e.object.ID] = rest
}

// free tells whether entries could be added without a clash.
func (x *index) free(entries []entry) bool {
	own := make(map[kustomize.ID]struct{}, len(entries))
	for _, e := range entries {
		if _, twice := own[e.object.ID]; twice || len(x.byID[e.object.ID]) > 0 {
			return false
		}
		own[e.object.ID] = struct{}{}
	}
	return true
}

func (x *index) clashes() bool {
	for _, entries := range x.byID {
		if len(entries) > 1 {
			return true
		}
	}
	return false
}

// all gives every entry in the order in which kustomize meets them.
func (x *index) all() []entry {
	var entries []entry
	for _, some := range x.byID {
		entries = append(entries, some...)
	}
	slices.SortFunc(entries, compareEntries)
	return entries
}
