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

// longestValue is the maximum length in bytes of a name or value in a message. The names of
// objects are shorter.
const longestValue = 512

// Placement is a placement in the data of a template. All its values are one line without
// invisible characters.
type Placement struct {
	Action            statestore.Action
	Work, Destination string
	// Promise is the name of the Work's Promise; Resource is the "namespace/name" of its
	// request, empty for a dependency.
	Promise, Resource string
	// Because is the reason for a RollBack: the revision that failed, and the agent's message.
	Because string

	labels, annotations map[string]string
}

// Label returns the value of a label of the Work; empty if it has none, or if the Work is gone.
func (p Placement) Label(key string) string { return oneLine(p.labels[key]) }

// Annotation returns the value of an annotation of the Work; empty if it has none, or if the
// Work is gone.
func (p Placement) Annotation(key string) string { return oneLine(p.annotations[key]) }

// newPlacement returns the data of a placement.
func newPlacement(p statestore.PlacementChange) Placement {
	return Placement{
		Action: p.Action, Work: oneLine(p.Work), Destination: oneLine(p.Destination), Promise: oneLine(p.Promise), Resource: oneLine(p.Resource), Because: oneLine(p.Because),
		labels: p.Labels, annotations: p.Annotations,
	}
}

// sortedPlacements returns the placements in changes without duplicates, in the order in which
// messages list them.
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

// sentence returns the line of one placement: "Place default/db on worker-1".
func (p Placement) sentence() string {
	preposition := "on"
	if p.Action == statestore.Remove {
		preposition = "from"
	}
	return fmt.Sprintf("%s %s %s %s", p.Action, p.Work, preposition, p.Destination)
}

// because returns the reason for the change as the end of a line; empty if there is none.
func (p Placement) because() string {
	if p.Because == "" {
		return ""
	}
	return ", because " + p.Because
}

// oneLine returns a text of bounded length with invisible characters escaped, so that a value
// cannot add lines to a message or change how a terminal shows it.
func oneLine(text string) string {
	if len(text) > longestValue {
		text = shortened(text)
	}
	if text = printable.Line(text); len(text) > longestValue {
		text = shortened(text)
	}
	return text
}

// shortened returns the beginning of a text that is too long, with an ellipsis.
func shortened(text string) string {
	const ellipsis = "…"
	end := longestValue - len(ellipsis)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return strings.TrimRight(text[:end], " ") + ellipsis
}
