package dedupe

import (
	"iter"
	"maps"
	"slices"
)

type index struct {
	// single contains the entries with a unique identity.
	single   map[identity]*entry
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

func (x *index) at(id identity) []*entry {
	if e, there := x.single[id]; there {
		return []*entry{e}
	}
	return x.repeated[id]
}

func (x *index) count(id identity) int {
	if _, there := x.single[id]; there {
		return 1
	}
	return len(x.repeated[id])
}

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

func (x *index) add(entries ...*entry) {
	for _, e := range entries {
		if there := x.at(e.id); len(there) > 0 {
			delete(x.single, e.id)
			x.repeated[e.id] = append(there, e)
		} else {
			x.single[e.id] = e
		}
	}
}

func (x *index) remove(entries ...*entry) {
	for _, e := range entries {
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
}

// doubled returns the entries whose identity is not unique, in the order in which kustomize reads
// them.
func (x *index) doubled() []*entry {
	var entries []*entry
	for _, some := range x.repeated {
		entries = append(entries, some...)
	}
	slices.SortFunc(entries, compareEntries)
	return entries
}

func (x *index) hasConflict(c *copies) bool {
	for _, entries := range x.repeated {
		for i, e := range entries[1:] {
			if !c.compatible(entries[i], e) {
				return true
			}
		}
	}
	return false
}

// conflicts yields the conflicting entries of one claim, each with the entry that it conflicts
// with.
func (x *index) conflicts(entries []*entry, c *copies) iter.Seq2[*entry, *entry] {
	return func(yield func(later, first *entry) bool) {
		own := make(map[identity]*entry, len(entries))
		for _, e := range entries {
			first := own[e.id]
			if first == nil {
				own[e.id] = e
				first = x.rival(e, c)
			}
			if first != nil && !yield(e, first) {
				return
			}
		}
	}
}

// rival returns an entry of another claim that cannot be in one root with e, or nil if there is
// none.
func (x *index) rival(e *entry, c *copies) *entry {
	for _, other := range x.at(e.id) {
		if other.claim() != e.claim() && !c.compatible(e, other) {
			return other
		}
	}
	return nil
}

func (x *index) fits(entries []*entry, c *copies) bool {
	for range x.conflicts(entries, c) {
		return false
	}
	return true
}
