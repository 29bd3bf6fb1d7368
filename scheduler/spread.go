package scheduler

import "math/bits"

// draw is what a request draws for a Destination: of several, the one with the
// highest random weight is taken (rendezvous hashing). Each pair of a request
// and a Destination has a draw of its own, so a Destination that is added or
// removed changes only the choices that it wins or had won. Groups of one
// request draw the same and so land together.
type draw struct {
	random uint64
	weight uint64
}

// seed is what a request brings to its draws.
func (r requestKey) seed() uint64 { return hash(r.namespace, r.promise, r.resource) }

// before reports whether a draw wins over another. With weights, the share that
// each wins is as its weight (the lower -log(random)/weight wins); with equal
// weights the higher number does, which is the same.
func (d draw) before(other draw) bool {
	if d.weight == other.weight {
		return d.random > other.random
	}
	if d.weight == 0 || other.weight == 0 {
		return d.weight > 0
	}
	// Both products fit: 38 bits of a logarithm, 20 of a weight.
	mine, theirs := negativeLog2(d.random)*other.weight, negativeLog2(other.random)*d.weight
	if mine != theirs {
		return mine < theirs
	}
	return d.random > other.random
}

// logBits is how many binary places a logarithm has.
const logBits = 32

// negativeLog2 returns -log2(n/2^64) with logBits binary places, computed with
// whole numbers so that it is the same on every machine.
func negativeLog2(n uint64) uint64 {
	if n == 0 {
		n = 1
	}
	zeros := bits.LeadingZeros64(n)
	mantissa, fraction := n<<zeros, uint64(0) // mantissa/2^63 is from 1 to below 2
	for range logBits {
		high, low := bits.Mul64(mantissa, mantissa)
		fraction <<= 1
		if high>>63 == 1 {
			fraction |= 1
			mantissa = high
		} else {
			mantissa = high<<1 | low>>63
		}
	}
	return uint64(zeros+1)<<logBits - fraction //nolint:gosec // zeros is 0 to 63
}

// The constants of FNV-1a.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// hash is FNV-1a over the parts, with an end mark behind each, and mixed.
func hash(parts ...string) uint64 {
	h := uint64(fnvOffset)
	for _, part := range parts {
		for i := range len(part) {
			h = (h ^ uint64(part[i])) * fnvPrime
		}
		h = (h ^ 0xff) * fnvPrime
	}
	return mix(h)
}

// mix spreads every bit over all others (the finalizer of MurmurHash3).
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	h ^= h >> 33
	return h
}
