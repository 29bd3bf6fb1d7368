package scheduler

import "math/bits"

// destinationSet is a bitmap of Destinations. Bit i is the Destination with index i in the fleet.
type destinationSet []uint64

const wordSize = 64

func newDestinationSet(size int) destinationSet {
	return make(destinationSet, (size+wordSize-1)/wordSize)
}

func (b destinationSet) add(at int) { b[at/wordSize] |= 1 << (at % wordSize) }

func (b destinationSet) intersect(other destinationSet) {
	for i := range b {
		b[i] &= other[i]
	}
}

func (b destinationSet) cut(size int) {
	if rest := size % wordSize; rest > 0 {
		b[len(b)-1] &= 1<<rest - 1
	}
}

func (b destinationSet) each(do func(at int)) {
	for i, left := range b {
		for left != 0 {
			do(i*wordSize + bits.TrailingZeros64(left))
			left &= left - 1
		}
	}
}
