package reconcile

import (
	"slices"
	"time"
)

// waits says since when the same WorkPlacements have waited for what others write:
// what is written to a store of theirs asks for no round.
type waits struct {
	names []string
	since time.Time
}

// due returns how soon the next round is due; 0 if nothing waits.
func (w *waits) due(now time.Time, names []string) time.Duration {
	if !slices.Equal(w.names, names) {
		w.names, w.since = names, now
	}
	if len(names) == 0 {
		return 0
	}
	return min(max(now.Sub(w.since)/2, firstWait), longestWait)
}

// waiting returns the WorkPlacements that wait for what others write, sorted.
func waiting(stores []*desired) []string {
	var names []string
	for _, store := range stores {
		for _, o := range store.outcomes {
			names = append(names, o.waits...)
		}
	}
	slices.Sort(names)
	return names
}

// soonest returns the shorter of two waits, of which 0 is none.
func soonest(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// How soon a round reads the stores again: in half the time that has passed, within
// these bounds.
const (
	firstWait   = 500 * time.Millisecond
	longestWait = time.Minute
)
