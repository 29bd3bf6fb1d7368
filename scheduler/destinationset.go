package scheduler

import "math/bits"

// destinationSet is a bitmap of Destinations, by their index in the fleet.
type destinationSet []uint64

const wordSize = 64

func newDestinationSet(size int) destinationSet {
	return make(destinationSet, (size+wordSize-1)/wordSize)
}

func (b destinationSet) add(at int) { b[at/wordSize] |= 1 << (at % wordSize) }

// intersect removes the elements that are not in the other set.
func (b destinationSet) intersect(other destinationSet) {
	for i := range b {
		b[i] &= other[i]
	}
}

// cut removes the elements that are not less than size.
func (b destinationSet) cut(size int) {
	if rest := size % wordSize; rest > 0 {
		b[len(b)-1] &= 1<<rest - 1
	}
}

// each calls do for each element, in ascending order.
func (b destinationSet) each(do func(at int)) {
	for i, left := range b {
		for left != 0 {
			do(i*wordSize + bits.TrailingZeros64(left))
			left &= left - 1
		}
	}
}
