package agent

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// maxAnnotation bounds the annotation, in bytes. The API server takes 256 KiB of all of them.
const maxAnnotation = 32 << 10

// FormatStates returns the states of a Destination's roots, by the directory of the root, as the
// value of kratix.ReportedAnnotation.
func FormatStates(states map[string]State) string {
	text, _ := json.Marshal(states) // strings and times, which can be encoded
	return string(text)
}

// ParseStates parses the value of kratix.ReportedAnnotation.
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
