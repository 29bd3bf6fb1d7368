package git

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// mostNamed is the maximum number of placements that a message lists, and of values of one trailer.
const mostNamed = 100

var actions = [...]statestore.Action{statestore.Place, statestore.Update, statestore.Remove, statestore.RollBack}

func newMessageData(changes statestore.ChangeSet) MessageData {
	all := sortedPlacements(changes.Placements)
	named := all[:min(len(all), mostNamed)]
	data := MessageData{
		Placements: named, More: len(all) - len(named), Trailers: trailers(all),
		Written: len(changes.Write), Removed: len(changes.Remove), all: all,
	}
	switch {
	case len(all) == 0:
		data.Subject = fileSubject(changes)
	case len(changes.Placements) == 1:
		data.Subject = all[0].sentence()
		if all[0].Because != "" {
			data.List = list(named, 0)
		}
	default:
		data.Subject, data.List = placementSubject(changes.Placements), list(named, data.More)
	}
	return data
}

func (d MessageData) text() string {
	text := d.Subject + "\n"
	for _, part := range []string{d.List, d.Trailers} {
		if part != "" {
			text += "\n" + part
		}
	}
	return text
}

// placementSubject returns a subject with the numbers of placements, such as "Place 3, update 2,
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

func list(placements []Placement, more int) string {
	var text strings.Builder
	for _, p := range placements {
		text.WriteString("* " + p.sentence() + p.because() + "\n")
	}
	if more > 0 {
		fmt.Fprintf(&text, "* and %d more\n", more)
	}
	return text.String()
}

func trailers(placements []Placement) string {
	works := make([]string, 0, len(placements))
	destinations := make([]string, 0, len(placements))
	for _, p := range placements {
		works, destinations = append(works, p.Work), append(destinations, p.Destination)
	}
	return named("Kratix-Work", works) + named("Kratix-Destination", destinations)
}

// named returns a trailer for each distinct name, up to mostNamed, and a trailer with the number of
// the others, such as "Kratix-Work-Omitted: 12".
func named(key string, names []string) string {
	slices.Sort(names)
	names = slices.Compact(names)
	var text strings.Builder
	for _, name := range names[:min(len(names), mostNamed)] {
		text.WriteString(key + ": " + name + "\n")
	}
	if omitted := len(names) - mostNamed; omitted > 0 {
		fmt.Fprintf(&text, "%s-Omitted: %d\n", key, omitted)
	}
	return text.String()
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
