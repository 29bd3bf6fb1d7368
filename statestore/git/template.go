package git

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/template"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// MessageData is the data of a template for commit messages. Its texts are one line without
// invisible characters, except for List and Trailers.
type MessageData struct {
	// Subject is the first line, such as "Place default/db on worker-1".
	Subject string
	// List is the list of Placements, one per line. It may be empty if there are fewer than two.
	List string
	// Trailers are the trailers. git recognizes them at the end of the message, after an empty
	// line.
	Trailers string
	// Placements are the first placements. More is the number of the others.
	Placements []Placement
	More       int
	// Store is the kind and name of each store, separated by commas. Owner is the controller ID of
	// the writer.
	Store, Owner string
	// Written and Removed are the numbers of files that are written and removed.
	Written, Removed int

	// all are all placements.
	all []Placement
	// requested are the trailers from Config.Trailers and those with co-authors.
	requested string
}

// Annotation returns the values of an annotation of the Works in one line, without duplicates.
func (d MessageData) Annotation(key string) string {
	return joined(d.all, func(p Placement) string { return p.Annotation(key) })
}

// Label returns the values of a label of the Works in one line, without duplicates.
func (d MessageData) Label(key string) string {
	return joined(d.all, func(p Placement) string { return p.Label(key) })
}

// joined returns the values for the placements in one line of limited length, without duplicates.
func joined(placements []Placement, of func(Placement) string) string {
	var values []string
	length := 0
	for _, p := range placements {
		if value := of(p); value != "" && !slices.Contains(values, value) {
			values, length = append(values, value), length+len(value)+len(", ")
		}
		if length > longestValue {
			break
		}
	}
	return oneLine(strings.Join(values, ", "))
}

// Message is a text/template for commit messages.
type Message struct{ template *template.Template }

// longestMessage is the maximum length in bytes of a message from a template.
const longestMessage = 256 << 10

// ParseMessage parses a template, and executes it once to check it.
func ParseMessage(text string) (*Message, error) {
	parsed, err := template.New("commit message").Option("missingkey=error").Parse(text)
	if err != nil {
		return nil, err
	}
	m := &Message{parsed}
	_, err = m.text(newMessageData(statestore.ChangeSet{Placements: []statestore.PlacementChange{example()}}))
	return m, err
}

// text executes the template. If the message does not end with data.Trailers, text adds
// data.requested.
func (m *Message) text(data MessageData) (string, error) {
	var text bytes.Buffer
	if err := m.template.Execute(&text, data); err != nil {
		return "", err
	}
	if text.Len() > longestMessage {
		return "", fmt.Errorf("the template for commit messages produces more than %d KiB", longestMessage>>10)
	}
	clean := strings.TrimSpace(withoutDividers(strings.ReplaceAll(text.String(), "\x00", "")))
	if clean == "" {
		return "", errors.New("the template for commit messages produces an empty message")
	}
	clean += "\n"
	if data.requested != "" && !strings.HasSuffix(clean, "\n\n"+data.Trailers) {
		clean += "\n" + data.requested
	}
	return clean, nil
}

// withoutDividers indents lines that git would treat as the end of the message.
func withoutDividers(text string) string {
	if !strings.Contains(text, "---") {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if rest, found := strings.CutPrefix(line, "---"); found && (rest == "" || strings.ContainsAny(rest[:1], " \t\r")) {
			lines[i] = " " + line
		}
	}
	return strings.Join(lines, "\n")
}

type commitText struct {
	author  Author
	message string
	notices []string
}

// describe returns the text of a commit with the changes of several stores, which must have the
// same style.
func describe(parts []commitChanges) commitText {
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
	data.Store, data.Owner = oneLine(strings.Join(names, ", ")), oneLine(style.owner)
	if style.owner != "" {
		data.Trailers += "Kratix-Schedule-Owner: " + data.Owner + "\n"
	}
	text := commitText{author: style.author}
	requested, err := style.trailers.of(data.all)
	if err != nil {
		text.notices = append(text.notices, "a trailer for commits is left out, because its template fails: "+err.Error())
	}
	if style.authorFrom != "" {
		by := authorsOf(all.Placements, style.authorFrom, style.author)
		text.author, requested = by.author, requested+by.trailers()
		text.notices = append(text.notices, by.notices(style.authorFrom)...)
	}
	data.requested = requested
	data.Trailers += requested
	text.message = data.text()
	if style.template != nil {
		message, err := style.template.text(data)
		if err != nil {
			text.notices = append(text.notices, "a commit has the default message, because its template cannot be used: "+err.Error())
			return text
		}
		text.message = message
	}
	return text
}
