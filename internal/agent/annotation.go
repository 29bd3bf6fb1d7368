package agent

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// maxAnnotation is the maximum size of the annotation in bytes.
const maxAnnotation = 32 << 10

// FormatStates returns the value of kratix.ReportedAnnotation for states by root.
func FormatStates(states map[string]State) string {
	text, _ := json.Marshal(states) // cannot fail
	return string(text)
}

// ParseStates parses the value of kratix.ReportedAnnotation. It returns an error for a value that
// is too long or malformed, or that names an unknown root.
func ParseStates(text string) (map[string]State, error) {
	if len(text) > maxAnnotation {
		return nil, fmt.Errorf("annotation %s: it is longer than %d bytes", kratix.ReportedAnnotation, maxAnnotation)
	}
	var states map[string]State
	if err := json.Unmarshal([]byte(text), &states); err != nil {
		return nil, fmt.Errorf("annotation %s: %w", kratix.ReportedAnnotation, err)
	}
	for root := range states {
		if !slices.Contains(Roots(), root) {
			return nil, fmt.Errorf("annotation %s: there is no root %q", kratix.ReportedAnnotation, root)
		}
	}
	return states, nil
}

// NewestStates returns the state of each root that has the later event. If both are as late, the
// state in first counts.
func NewestStates(first, second map[string]State) map[string]State {
	newest := maps.Clone(second)
	if newest == nil {
		newest = map[string]State{}
	}
	for root, state := range first {
		if other, there := newest[root]; !there || !state.Latest.Before(other.Latest) {
			newest[root] = state
		}
	}
	return newest
}
