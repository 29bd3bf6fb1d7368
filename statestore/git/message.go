package git

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// actions is the order of actions in a message.
var actions = [...]statestore.Action{statestore.Place, statestore.Update, statestore.Remove}

// newMessageData returns the data of a commit message: a subject, a line for each placement
// if there are several, and trailers that name each Work and each Destination once.
func newMessageData(changes statestore.ChangeSet) MessageData {
	placements := slices.Clone(changes.Placements)
	slices.SortFunc(placements, comparePlacements)
	data := MessageData{
		Placements: slices.Compact(slices.Clone(placements)), Trailers: trailers(placements),
		Written: len(changes.Write), Removed: len(changes.Remove),
	}
	switch len(placements) {
	case 0:
		data.Subject = fileSubject(changes)
	case 1:
		data.Subject = sentence(placements[0])
	default:
		data.Subject, data.List = placementSubject(placements), list(placements)
	}
	return data
}

// text returns the message that is used without a template.
func (d MessageData) text() string {
	text := d.Subject + "\n"
	for _, part := range []string{d.List, d.Trailers} {
		if part != "" {
			text += "\n" + part
		}
	}
	return text
}

func comparePlacements(a, b statestore.PlacementChange) int {
	return cmp.Or(
		cmp.Compare(rank(a.Action), rank(b.Action)),
		cmp.Compare(a.Work, b.Work),
		cmp.Compare(a.Destination, b.Destination),
	)
}

func rank(action statestore.Action) int { return slices.Index(actions[:], action) }

// sentence returns the line of one placement: "Place default/db on worker-1".
func sentence(p statestore.PlacementChange) string {
	preposition := "on"
	if p.Action == statestore.Remove {
		preposition = "from"
	}
	return fmt.Sprintf("%s %s %s %s", p.Action, oneLine(p.Work), preposition, oneLine(p.Destination))
}

// placementSubject returns a subject with the number of placements: "Place 3, update 2,
// remove 1 placements".
func placementSubject(placements []statestore.PlacementChange) string {
	count := map[statestore.Action]int{}
	for _, p := range placements {
		count[p.Action]++
	}
	var parts []string
	for _, action := range actions {
		if n := count[action]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", strings.ToLower(string(action)), n))
		}
	}
	return capital(strings.Join(parts, ", ")) + " placements"
}

// fileSubject returns a subject for changes that no placement caused.
func fileSubject(changes statestore.ChangeSet) string {
	written, removed := len(changes.Write), len(changes.Remove)
	switch {
	case removed == 0:
		return "Write " + files(written)
	case written == 0:
		return "Remove " + files(removed)
	}
	return fmt.Sprintf("Write %s, remove %s", files(written), files(removed))
}

func files(n int) string {
	if n == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", n)
}

func list(placements []statestore.PlacementChange) string {
	var text strings.Builder
	for _, p := range slices.Compact(slices.Clone(placements)) {
		text.WriteString("* " + sentence(p) + "\n")
	}
	return text.String()
}

func trailers(placements []statestore.PlacementChange) string {
	works := make([]string, 0, len(placements))
	destinations := make([]string, 0, len(placements))
	for _, p := range placements {
		works = append(works, "Kratix-Work: "+oneLine(p.Work)+"\n")
		destinations = append(destinations, "Kratix-Destination: "+oneLine(p.Destination)+"\n")
	}
	slices.Sort(works)
	slices.Sort(destinations)
	return strings.Join(slices.Compact(works), "") + strings.Join(slices.Compact(destinations), "")
}

// oneLine replaces control characters, so that a name cannot add lines to a message.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
