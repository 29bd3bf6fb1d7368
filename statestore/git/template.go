package git

import (
	"bytes"
	"errors"
	"strings"
	"text/template"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// MessageData is the data of a template for commit messages.
type MessageData struct {
	// Subject is one line: "Place default/db on worker-1".
	Subject string
	// List has a line for each placement, if there are several.
	List string
	// Trailers are the Kratix-* lines, which must come last to be trailers.
	Trailers string
	// Placements are the placements in List, each with Action, Work and Destination.
	Placements []statestore.PlacementChange
	// Store is the store's kind and name, or those of several, separated by commas; Owner
	// is the writer's controller ID.
	Store, Owner string
	// Written and Removed are numbers of files.
	Written, Removed int
}

// Message is a text/template for commit messages.
type Message struct{ template *template.Template }

// ParseMessage parses a template and executes it once to check it.
func ParseMessage(text string) (*Message, error) {
	parsed, err := template.New("commit message").Option("missingkey=error").Parse(text)
	if err != nil {
		return nil, err
	}
	m := &Message{parsed}
	example := statestore.PlacementChange{Action: statestore.Place, Work: "default/example", Destination: "worker-1"}
	_, err = m.text(newMessageData(statestore.ChangeSet{Placements: []statestore.PlacementChange{example}}))
	return m, err
}

// text executes the template.
func (m *Message) text(data MessageData) (string, error) {
	var text bytes.Buffer
	if err := m.template.Execute(&text, data); err != nil {
		return "", err
	}
	clean := strings.TrimSpace(strings.ReplaceAll(text.String(), "\x00", ""))
	if clean == "" {
		return "", errors.New("the template for commit messages produces an empty message")
	}
	return clean + "\n", nil
}

// message returns the commit message for changes to stores of one style.
func message(parts []commitChanges) (string, error) {
	var all statestore.ChangeSet
	var names []string
	for _, p := range parts {
		all.Write = append(all.Write, p.changes.Write...)
		all.Remove = append(all.Remove, p.changes.Remove...)
		all.Placements = append(all.Placements, p.changes.Placements...)
		names = append(names, p.store.name)
	}
	data := newMessageData(all)
	style := parts[0].store.style
	data.Store, data.Owner = strings.Join(names, ", "), style.owner
	if style.owner != "" {
		data.Trailers += "Kratix-Schedule-Owner: " + oneLine(style.owner) + "\n"
	}
	if style.template == nil {
		return data.text(), nil
	}
	return style.template.text(data)
}
