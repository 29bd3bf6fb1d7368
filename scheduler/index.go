package scheduler

import "github.com/kratix-schedule/kratix-schedule/kratix"

// index finds the existing placements of a group, in time and memory for
// 100,000 of them.
type index struct {
	heads map[groupKey]int32
	next  []int32
}

func newIndex(existing []*kratix.WorkPlacement) index {
	x := index{heads: make(map[groupKey]int32, len(existing)), next: make([]int32, len(existing))}
	for i, p := range existing {
		key := groupKey{p.Work(), p.Spec.ID}
		x.next[i] = none
		if head, ok := x.heads[key]; ok {
			x.next[i] = head
		}
		x.heads[key] = int32(i) //nolint:gosec // memory ends before this does
	}
	return x
}

// of gives the placements of a group, sorted, and marks them as used.
func (x index) of(existing []*kratix.WorkPlacement, key groupKey, used []bool) []*kratix.WorkPlacement {
	at, ok := x.heads[key]
	if !ok {
		return nil
	}
	if x.next[at] == none {
		used[at] = true
		return existing[at : at+1 : at+1]
	}
	var found []*kratix.WorkPlacement
	for ; at != none; at = x.next[at] {
		used[at] = true
		found = append(found, existing[at])
	}
	byName(found)
	return found
}

// homes are the Destinations where a request has groups already. A request is
// known by its seed alone: two that have the same by accident only prefer each
// other's company.
type homes struct {
	heads   map[uint64]int32
	entries []home
}

type home struct {
	at   int
	next int32
}

func newHomes(expected int) homes {
	return homes{heads: make(map[uint64]int32, expected), entries: make([]home, 0, expected)}
}

func (h *homes) add(request requestKey, at int) {
	seed, next := request.seed(), int32(none)
	if head, ok := h.heads[seed]; ok {
		next = head
	}
	h.heads[seed] = int32(len(h.entries)) //nolint:gosec // memory ends before this does
	h.entries = append(h.entries, home{at, next})
}

// remove takes one group away again.
func (h *homes) remove(request requestKey, at int) {
	head, ok := h.heads[request.seed()]
	if !ok {
		return
	}
	for i := head; i != none; i = h.entries[i].next {
		if h.entries[i].at == at {
			h.entries[i].at = none
			return
		}
	}
}

// of gives the first home of a request with this seed; next the others.
func (h *homes) of(seed uint64) int32 {
	if head, ok := h.heads[seed]; ok {
		return head
	}
	return none
}

// has tells whether a Destination is a home, given the first of them.
func (h *homes) has(first int32, at int) bool {
	for i := first; i != none; i = h.entries[i].next {
		if h.entries[i].at == at {
			return true
		}
	}
	return false
}
