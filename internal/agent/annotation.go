package agent

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

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

// MaxAhead is the maximum time by which an event may be in the future.
const MaxAhead = 10 * time.Minute

// AreAhead reports whether a state has a time that is more than MaxAhead after now.
func AreAhead(states map[string]State, now time.Time) bool {
	end := now.Add(MaxAhead)
	for _, s := range states {
		if s.Latest.After(end) || s.Applied.Time.After(end) || s.Healthy.Time.After(end) || s.Failure != nil && s.Failure.Since.After(end) {
			return true
		}
	}
	return false
}
