package agent

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// fluxEvent has the fields of an event of notification-controller that are used.
type fluxEvent struct {
	InvolvedObject struct {
		Kind string `json:"kind"`
	} `json:"involvedObject"`
	Severity  string            `json:"severity"`
	Timestamp time.Time         `json:"timestamp"`
	Message   string            `json:"message"`
	Reason    string            `json:"reason"`
	Metadata  map[string]string `json:"metadata"`
}

const (
	fluxPrefix      = "kustomize.toolkit.fluxcd.io/"
	fluxRevision    = "revision"
	fluxDestination = "destination"
	fluxRoot        = "root"
	fluxHealth      = "health"
	fluxChecked     = "checked"
)

const (
	fluxKustomization = "Kustomization"
	fluxError         = "error"
)

// of returns the value of a key in the metadata, with or without the prefix.
func (e *fluxEvent) of(key string) string {
	if value, ok := e.Metadata[key]; ok {
		return value
	}
	return e.Metadata[fluxPrefix+key]
}

// ParseFlux parses an event of Flux's notification-controller. An event about another kind than
// Kustomization has the outcome None. It returns an error for a malformed event, and for a
// Kustomization without a valid Destination and root.
func ParseFlux(body []byte) (Event, error) {
	var sent fluxEvent
	if err := json.Unmarshal(body, &sent); err != nil {
		return Event{}, malformed("the body is no JSON of Flux")
	}
	if sent.InvolvedObject.Kind == "" || sent.Timestamp.IsZero() {
		return Event{}, malformed("it has no involvedObject or no timestamp")
	}
	if sent.InvolvedObject.Kind != fluxKustomization {
		return Event{Destination: validName(sent.of(fluxDestination)), Time: sent.Timestamp}, nil
	}
	event := Event{
		Destination: sent.of(fluxDestination), Root: sent.of(fluxRoot), Revision: cleanRevision(sent.of(fluxRevision)),
		Message: cleanMessage(sent.Message), Time: sent.Timestamp,
	}
	if err := event.checkTarget("the Alert's spec.eventMetadata"); err != nil {
		return Event{}, err
	}
	event.Outcome = fluxOutcome(sent.Severity, sent.Reason, sent.Message, sent.of(fluxHealth) == fluxChecked)
	if event.Outcome.IsFailure() {
		event.Objects, event.Files = fluxNames(event.Outcome, sent.Message)
	}
	return event, nil
}

// checkTarget returns an error if the Destination or the root is invalid. set is the place where
// the user configures them.
func (e *Event) checkTarget(set string) error {
	switch {
	case e.Destination == "":
		return malformed("it names no destination: add it to %s", set)
	case !isName(e.Destination):
		return malformed("its destination cannot be the name of a Destination: see %s", set)
	case !slices.Contains(Roots(), e.Root):
		return malformed("its root is neither dependencies nor resources nor empty: see %s", set)
	}
	return nil
}

func validName(text string) string {
	if !isName(text) {
		return ""
	}
	return text
}

// fluxOutcomes maps the reason of an error event to its outcome.
var fluxOutcomes = map[string]Outcome{
	"BuildFailed":          BuildFailed,
	"ArtifactFailed":       BuildFailed,
	"ReconciliationFailed": ApplyFailed,
	"HealthCheckFailed":    HealthFailed,
	"PruneFailed":          PruneFailed,
	// The Kustomization is being deleted, but its objects cannot be deleted.
	"ReconciliationSucceeded": PruneFailed,
	// The status of the Kustomization could not be written.
	"Progressing": Progressing,
}

// fluxOutcome returns the outcome of an event. checked means that success includes health checks.
func fluxOutcome(severity, reason, message string, checked bool) Outcome {
	switch {
	case severity == fluxError && strings.HasPrefix(message, "unable to update the healthy status"):
		return Applied // the health was not checked yet
	case severity == fluxError:
		if outcome, ok := fluxOutcomes[reason]; ok {
			return outcome
		}
		return ApplyFailed
	case strings.HasPrefix(message, "Health check passed in "):
		return Healthy
	case strings.HasPrefix(message, "Reconciliation finished in ") && checked:
		return Healthy
	case strings.HasPrefix(message, "Reconciliation finished in "):
		return Applied
	case reason == "Progressing" && isChangeLog(message):
		return Applied
	}
	return Progressing
}

// isChangeLog reports whether a message lists objects with an action of Flux, in one line each.
func isChangeLog(message string) bool {
	for line := range strings.Lines(message) {
		if !changeLine.MatchString(strings.TrimSuffix(line, "\n")) {
			return false
		}
	}
	return message != ""
}
