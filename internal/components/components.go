// Package components groups findings by object, and holds the templates and the style sheet that
// the page of `run` and the HTML report have in common. It does no I/O.
package components

import (
	_ "embed"
	"html/template"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/printable"
)

//go:embed style.css
var style string

//go:embed groups.tmpl
var groups string

// Style returns the style sheet.
func Style() string { return style }

// Templates returns the shared templates. The template "groups" takes a list of Group, and "group"
// takes one Group.
func Templates() *template.Template {
	return template.Must(template.New("components").Funcs(template.FuncMap{
		"line": func(text string) string { return Line(text, longestLine) },
		"name": func(text string) string { return Line(text, LongestName) },
		// lines does not cut its text, whose size is limited.
		"lines": printable.Lines,
	}).Parse(groups))
}

// LongestName and longestLine are the maximum lengths, in bytes, of a name and of a sentence on a
// page.
const (
	LongestName = 300
	longestLine = 4000
)

// Line returns the first longest bytes of a text as one printable line. If the text is longer, the
// line ends with dots. Escapes make the line longer.
func Line(text string, longest int) string {
	short := text
	if len(short) > longest {
		short = strings.ToValidUTF8(short[:longest], "")
	}
	line := printable.Line(short)
	if len(line) > 4*longest { // an escape is up to ten times as long as its character
		line = strings.ToValidUTF8(line[:4*longest], "")
	}
	if len(short) < len(text) {
		line += "…"
	}
	return line
}
