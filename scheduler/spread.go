package scheduler

import "math/bits"

// draw is the random number of a request for a Destination. The Destination with the best draw is
// chosen (rendezvous hashing), so that adding or removing a Destination does not change the choice
// among the others.
type draw struct {
	random uint64
	weight uint64
}

func (r requestKey) seed() uint64 { return hash(r.namespace, r.promise, r.resource) }

// before reports whether d wins against other. The probability to win is proportional to the
// weight: the lower value of -log(random)/weight wins.
func (d draw) before(other draw) bool {
	if d.weight == other.weight {
		return d.random > other.random
	}
	if d.weight == 0 || other.weight == 0 {
		return d.weight > 0
	}
	// The products fit in 64 bits: 38 bits for the logarithm, 20 for the weight.
	mine, theirs := negativeLog2(d.random)*other.weight, negativeLog2(other.random)*d.weight
	if mine != theirs {
		return mine < theirs
	}
	return d.random > other.random
}

// logBits is the number of fractional bits of a logarithm.
const logBits = 32

// negativeLog2 returns -log2(n/2^64) with logBits fractional bits. It uses integers, so that the
// result is the same on every machine.
func negativeLog2(n uint64) uint64 {
	if n == 0 {
		n = 1
	}
	zeros := bits.LeadingZeros64(n)
	mantissa, fraction := n<<zeros, uint64(0) // mantissa/2^63 is in [1,2)
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

const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

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

// mix returns the finalizer of MurmurHash3 for h.
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	h ^= h >> 33
	return h
}
