package scheduler

// heaviest picks by highest random weight (rendezvous hashing): each pair of a
// request and a Destination has a weight of its own, so a Destination that is
// added or removed changes only the choices that it wins or had won. Groups of
// one request draw the same weights and so land together.
func heaviest(request requestKey, destinations []string) string {
	seed := hash(request.namespace, request.promise, request.resource)
	best, bestWeight := "", uint64(0)
	for _, destination := range destinations {
		weight := mix(seed ^ hash(destination))
		if best == "" || weight > bestWeight {
			best, bestWeight = destination, weight
		}
	}
	return best
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
