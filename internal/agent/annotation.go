package agent

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// maxAnnotation is the maximum size of the annotation in bytes. The API server allows 256 KiB for
// all annotations of an object.
const maxAnnotation = 32 << 10

// FormatStates returns the states of a Destination's roots as the value of
// kratix.ReportedAnnotation. The keys of states are the directories of the roots.
func FormatStates(states map[string]State) string {
	text, _ := json.Marshal(states) // cannot fail: a State has only strings and times
	return string(text)
}

// ParseStates parses the value of kratix.ReportedAnnotation. It returns an error for a value that
// is too long, malformed or about an unknown root.
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
