package agent

import (
	"maps"
	"strings"
	"time"
)

// MergeStates returns the merged states by root.
func MergeStates(a, b map[string]State) map[string]State {
	merged := maps.Clone(b)
	if merged == nil {
		merged = map[string]State{}
	}
	for root, state := range a {
		if other, there := merged[root]; there {
			state = Merge(state, other)
		}
		merged[root] = state
	}
	return merged
}

// Merge returns the state of a root after the events of two states that may have received
// different events. The order of the states does not matter.
func Merge(a, b State) State {
	older, newer := a, b
	if isAfter(a, b) {
		older, newer = b, a
	}
	merged := State{Applied: later(a.Applied, b.Applied), Healthy: later(a.Healthy, b.Healthy), Failure: newer.Failure, Latest: newer.Latest}
	if f := older.Failure; f != nil && newer.Failure == nil && f.Outcome == HealthFailed && newer.Applied.Revision == f.Revision && newer.Healthy.Revision != f.Revision {
		merged.Failure = f // the newer events were about an apply without a health check
	}
	if f := merged.Failure; f != nil && f.Outcome == HealthFailed && f.Revision == merged.Healthy.Revision && !merged.Healthy.Time.After(f.Since) {
		merged.Healthy = Mark{}
	}
	return merged
}

// isAfter reports whether a has the later event. For states with events at the same time, it
// returns a result that depends only on their contents.
func isAfter(a, b State) bool {
	if !a.Latest.Equal(b.Latest) {
		return a.Latest.After(b.Latest)
	}
	return strings.Compare(FormatStates(map[string]State{"": a}), FormatStates(map[string]State{"": b})) > 0
}

// later returns the later mark, or the earlier one of two marks with the same revision.
func later(a, b Mark) Mark {
	isAfter := a.Time.After(b.Time) || a.Time.Equal(b.Time) && a.Revision > b.Revision
	if (a.Revision == b.Revision) == isAfter {
		return b
	}
	return a
}

// Same reports whether two maps of states are equal apart from the times of the latest events.
func Same(a, b map[string]State) bool {
	return FormatStates(withoutLatest(a)) == FormatStates(withoutLatest(b))
}

func withoutLatest(states map[string]State) map[string]State {
	others := make(map[string]State, len(states))
	for root, state := range states {
		state.Latest = time.Time{}
		others[root] = state
	}
	return others
}
