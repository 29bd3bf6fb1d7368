package git

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// longestValue is the maximum length in bytes of a name or value in a message.
const longestValue = 512

// Placement is a placement in the data of a template. Its texts are one line without invisible
// characters.
type Placement struct {
	Action            statestore.Action
	Work, Destination string
	// Promise is the name of the Work's Promise. Resource is the "namespace/name" of its request,
	// and empty for a dependency.
	Promise, Resource string
	// Because is the reason for a RollBack.
	Because string

	labels, annotations map[string]string
}

// Label returns the value of a label of the Work, or "" if there is none.
func (p Placement) Label(key string) string { return oneLine(p.labels[key]) }

// Annotation returns the value of an annotation of the Work, or "" if there is none.
func (p Placement) Annotation(key string) string { return oneLine(p.annotations[key]) }

func newPlacement(p statestore.PlacementChange) Placement {
	return Placement{
		Action: p.Action, Work: oneLine(p.Work), Destination: oneLine(p.Destination), Promise: oneLine(p.Promise), Resource: oneLine(p.Resource), Because: oneLine(p.Because),
		labels: p.Labels, annotations: p.Annotations,
	}
}

// sortedPlacements returns the placements in the order of messages, without duplicates.
func sortedPlacements(changes []statestore.PlacementChange) []Placement {
	placements := make([]Placement, 0, len(changes))
	for _, p := range changes {
		placements = append(placements, newPlacement(p))
	}
	slices.SortStableFunc(placements, comparePlacements)
	return slices.CompactFunc(placements, func(a, b Placement) bool { return comparePlacements(a, b) == 0 })
}

func comparePlacements(a, b Placement) int {
	return cmp.Or(
		cmp.Compare(rank(a.Action), rank(b.Action)),
		cmp.Compare(a.Work, b.Work),
		cmp.Compare(a.Destination, b.Destination),
	)
}

func rank(action statestore.Action) int { return slices.Index(actions[:], action) }

// sentence returns the line about a placement, such as "Place default/db on worker-1".
func (p Placement) sentence() string {
	preposition := "on"
	if p.Action == statestore.Remove {
		preposition = "from"
	}
	return fmt.Sprintf("%s %s %s %s", p.Action, p.Work, preposition, p.Destination)
}

// because returns the end of the line with the reason for the change, or "" if there is none.
func (p Placement) because() string {
	if p.Because == "" {
		return ""
	}
	return ", because " + p.Because
}

// oneLine returns a text as one line of at most longestValue bytes, with invisible characters
// escaped.
func oneLine(text string) string {
	if len(text) > longestValue {
		text = shortened(text)
	}
	if text = printable.Line(text); len(text) > longestValue {
		text = shortened(text)
	}
	return text
}

func shortened(text string) string {
	const ellipsis = "…"
	end := longestValue - len(ellipsis)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return strings.TrimRight(text[:end], " ") + ellipsis
}
