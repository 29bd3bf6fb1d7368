package report

import (
	"cmp"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

// Document is a report with what its readers need beside it: what a Format
// writes.
type Document struct {
	Report
	// Done says in a word what was done.
	Done Done
	// Version is the program's.
	Version string
	// Tally counts the findings that matter, shown or not.
	Tally Tally
	// Hidden findings are left out because there are so many, Ignored because
	// the user wants it, and Known because a baseline has them.
	Hidden, Ignored, Known int
	// Read is how much was read; nil where that is not counted.
	Read *Reading
	// Volume is how much a text for people says.
	Volume Volume
	// Fails is the severity from which on a finding makes the command fail.
	Fails finding.Severity
	// Locate says where a place lies on disk; nil when nothing is known of that.
	Locate func(finding.Place) Spot
	// Paint colours text on a terminal; nil does not.
	Paint Painter
	// Diffs are the changes line by line; Stat shows just how many.
	Diffs []FileDiff
	Stat  bool
}

// Done is what was done to get a Document.
type Done string

// What can have been done.
const (
	Checked Done = "checked"
	Planned Done = "planned"
	Written Done = "written"
)

// Spot is a place on disk.
type Spot struct {
	File string
	Line int
	// Exact is the file itself; else File holds it in some packed way.
	Exact bool
}

// Tally counts findings.
type Tally struct{ Errors, Warnings, Notes int }

// Count counts findings.
func Count(findings []finding.Finding) Tally {
	var t Tally
	for _, f := range findings {
		switch f.Rule.Severity {
		case finding.Error:
			t.Errors++
		case finding.Warning:
			t.Warnings++
		case finding.Note:
			t.Notes++
		case finding.None:
		}
	}
	return t
}

// spot returns where a place is on disk, as far as that is known.
func (d Document) spot(p finding.Place) Spot {
	if d.Locate != nil {
		return d.Locate(p)
	}
	if p.Object == "" {
		return Spot{File: p.File, Line: p.Line, Exact: true}
	}
	return Spot{}
}

// fails reports whether a finding makes the command fail.
func (d Document) fails(f finding.Finding) bool {
	return f.Rule.Severity >= cmp.Or(d.Fails, finding.Error)
}

// headline says in a line where a finding is and what it is.
func headline(f finding.Finding) string {
	if place := f.Place.String(); place != "" {
		return place + ": " + f.Message
	}
	return f.Message
}

// changes are those of all Destinations of all stores.
func (d Document) changes() []change {
	var all []change
	for _, store := range d.Stores {
		for _, destination := range store.Destinations {
			all = append(all, change{
				Store: store.Name, Destination: destination.Name,
				Added: texts(destination.Added), Changed: texts(destination.Changed), Removed: texts(destination.Removed),
			})
		}
	}
	return all
}
