package history

import (
	"regexp"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// The keys of the trailers of this program. omittedKey means that the list of Works is incomplete.
const (
	workKey        = "Kratix-Work"
	destinationKey = "Kratix-Destination"
	omittedKey     = "Kratix-Work-Omitted"
)

// maxTrailers is the maximum number of trailers and of changes of a message, and maxSubject is the
// maximum length of a subject in bytes.
const (
	maxTrailers = 1000
	maxSubject  = 512
)

// Trailer is a line at the end of a commit message.
type Trailer struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Change is a change of a placement.
type Change struct {
	Action      statestore.Action `json:"action"`
	Work        string            `json:"work"`
	Destination string            `json:"destination"`
	// Because is the reason why a placement was rolled back.
	Because string `json:"because,omitempty"`
}

type message struct {
	subject  string
	trailers []Trailer
	// works are the Works with the name of the query, and destinations are all Destinations.
	works, destinations []string
	changes             []Change
	// isOwn means that the message has a trailer of this program with a Work. omits means that the
	// list of Works is incomplete.
	isOwn, omits bool
}

var trailerLine = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9-]*): (.*)$`)

var changeLine = regexp.MustCompile(`^(?:\* )?(Place|Update|Remove|Roll back) (\S+) (?:on|from) (\S+?)(?:, because (.*))?$`)

func parseMessage(text, name string) message {
	text = strings.TrimRight(text, "\n")
	var said message
	said.subject, _, _ = strings.Cut(text, "\n")
	if len(said.subject) > maxSubject {
		said.subject = strings.ToValidUTF8(said.subject[:maxSubject], "") + "…"
	}
	last := text[max(0, strings.LastIndex(text, "\n\n")):]
	for line := range strings.SplitSeq(strings.Trim(last, "\n"), "\n") {
		found := trailerLine.FindStringSubmatch(line)
		if found == nil || len(said.trailers) == maxTrailers {
			continue
		}
		key, value := found[1], found[2]
		said.trailers = append(said.trailers, Trailer{key, value})
		switch key {
		case workKey:
			said.isOwn = true
			if isNamed(value, name) {
				said.works = append(said.works, value)
			}
		case destinationKey:
			said.destinations = append(said.destinations, value)
		case omittedKey:
			said.omits = true
		}
	}
	for line := range strings.SplitSeq(text, "\n") {
		found := changeLine.FindStringSubmatch(line)
		if found == nil || len(said.changes) == maxTrailers || !isNamed(found[2], name) {
			continue
		}
		change := Change{Action: statestore.Action(found[1]), Work: found[2], Destination: found[3], Because: found[4]}
		if !slices.Contains(said.changes, change) {
			said.changes = append(said.changes, change)
		}
	}
	return said
}

// destinationIs reports whether the message names a Destination as changed.
func (m *message) destinationIs(name string) bool {
	if len(m.changes) > 0 {
		return slices.ContainsFunc(m.changes, func(c Change) bool { return c.Destination == name })
	}
	return slices.Contains(m.destinations, name)
}

// isNamed reports whether a Work, "namespace/name", has a name, which may omit the namespace.
func isNamed(work, name string) bool {
	return name == "" || work == name || !strings.Contains(name, "/") && strings.HasSuffix(work, "/"+name)
}
