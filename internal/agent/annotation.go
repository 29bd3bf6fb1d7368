package agent

import (
	"encoding/json"
	"fmt"
)

// StatesAnnotation is the annotation of a Destination with what its agent has reported, so that a
// restarted process continues with it.
const StatesAnnotation = "kratix-schedule.io/reported"

// maxAnnotation bounds the annotation, in bytes. The API server takes 256 KiB of all of them.
const maxAnnotation = 32 << 10

// FormatStates returns the states of a Destination's roots, by the directory of the root, as the
// value of StatesAnnotation.
func FormatStates(states map[string]State) string {
	text, _ := json.Marshal(states) // strings and times, which can be encoded
	return string(text)
}

// ParseStates parses the value of StatesAnnotation.
func ParseStates(text string) (map[string]State, error) {
	if len(text) > maxAnnotation {
		return nil, fmt.Errorf("annotation %s: it is longer than %d bytes", StatesAnnotation, maxAnnotation)
	}
	var states map[string]State
	if err := json.Unmarshal([]byte(text), &states); err != nil {
		return nil, fmt.Errorf("annotation %s: %w", StatesAnnotation, err)
	}
	const maxRoots = 4
	if len(states) > maxRoots {
		return nil, fmt.Errorf("annotation %s: it has %d roots", StatesAnnotation, len(states))
	}
	return states, nil
}
