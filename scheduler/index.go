package scheduler

import "github.com/kratix-schedule/kratix-schedule/internal/kratix"

// index maps the key of a group to its existing placements. It is a chained hash table.
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
		x.heads[key] = int32(i) //nolint:gosec // memory is exhausted before this overflows
	}
	return x
}

// of returns the placements of a group, sorted by Destination, and marks them as used.
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

// homes maps a request to the Destinations where it has groups. It is an open-addressing hash table
// whose size is a power of two. The key is the request's seed, so requests with equal seeds share
// an entry.
type homes struct {
	table   []homeSlot
	used    int
	entries []home
}

type homeSlot struct {
	seed  uint64
	first int32 // index into entries plus 1, or 0 for a free slot
}

type home struct {
	at   int
	next int32
}

func newHomes(expected int) homes {
	size := 16
	for size < 2*expected {
		size *= 2
	}
	return homes{table: make([]homeSlot, size), entries: make([]home, 0, expected)}
}

// slot returns the slot of a seed, or the free slot for it.
func (h *homes) slot(seed uint64) *homeSlot {
	mask := uint64(len(h.table) - 1)
	at := seed & mask
	for h.table[at].first != 0 && h.table[at].seed != seed {
		at = (at + 1) & mask
	}
	return &h.table[at]
}

func (h *homes) add(request requestKey, at int) {
	seed := request.seed()
	slot := h.slot(seed)
	if slot.first == 0 {
		if h.used++; 2*h.used > len(h.table) {
			h.grow()
			slot = h.slot(seed)
		}
	}
	h.entries = append(h.entries, home{at, slot.first - 1})
	slot.seed, slot.first = seed, int32(len(h.entries)) //nolint:gosec // memory is exhausted before this overflows
}

func (h *homes) grow() {
	old := h.table
	h.table = make([]homeSlot, 2*len(old))
	for _, slot := range old {
		if slot.first != 0 {
			*h.slot(slot.seed) = slot
		}
	}
}

// of returns the index of the first entry for a seed, or none.
func (h *homes) of(seed uint64) int32 { return h.slot(seed).first - 1 }

func (h *homes) has(first int32, at int) bool {
	for i := first; i != none; i = h.entries[i].next {
		if h.entries[i].at == at {
			return true
		}
	}
	return false
}
