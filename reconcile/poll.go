package reconcile

import (
	"slices"
	"time"
)

// poll computes when the stores are read again while WorkPlacements are blocked. Kratix's writes to
// its stores trigger no round.
type poll struct {
	names []string
	since time.Time
}

// due returns the time until the next read, or 0 if nothing is blocked.
func (w *poll) due(now time.Time, names []string) time.Duration {
	if !slices.Equal(w.names, names) {
		w.names, w.since = names, now
	}
	if len(names) == 0 {
		return 0
	}
	return min(max(now.Sub(w.since)/2, minPoll), maxPoll)
}

func blockedPlacements(stores []*desired) []string {
	var names []string
	for _, store := range stores {
		for _, o := range store.outcomes {
			names = append(names, o.blocked...)
		}
	}
	slices.Sort(names)
	return names
}

func soonest(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

const (
	minPoll = 500 * time.Millisecond
	maxPoll = time.Minute
)
