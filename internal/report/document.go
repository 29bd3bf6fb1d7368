package report

import (
	"cmp"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

// Document is a report with the options and the further data that a Format needs.
type Document struct {
	Report
	// Done is the operation that produced the report.
	Done Done
	// Version is the version of the program.
	Version string
	// Tally counts the findings, without ignored and known findings.
	Tally Tally
	// Hidden, Ignored and Known are the numbers of omitted findings: above the maximum, ignored by
	// the user, and in a baseline.
	Hidden, Ignored, Known int
	// Read is the amount of input. It is nil if the input is not counted.
	Read   *Reading
	Volume Volume
	// Fails is the lowest severity that makes the command fail.
	Fails finding.Severity
	// Locate returns the position of a place on disk. It is nil if positions are unknown.
	Locate func(finding.Place) Position
	// Paint colours text on a terminal. If it is nil, text is not coloured.
	Paint Painter
	// Stat means that Diffs are shown as numbers of changed lines.
	Diffs []FileDiff
	Stat  bool
}

// Done is the operation that produced a Document.
type Done string

// The values of Done.
const (
	Checked Done = "checked"
	Planned Done = "planned"
	Written Done = "written"
	Probed  Done = "probed"
)

// Position is a line of a file on disk.
type Position struct {
	File string
	Line int
	// Exact means that File is the file itself and not a file that contains it in encoded form.
	Exact bool
}

// Tally contains the numbers of findings by severity.
type Tally struct{ Errors, Warnings, Notes int }

// Count returns the tally of findings.
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

func (d Document) position(p finding.Place) Position {
	if d.Locate != nil {
		return d.Locate(p)
	}
	if p.Object == "" {
		return Position{File: p.File, Line: p.Line, Exact: true}
	}
	return Position{}
}

func (d Document) fails(f finding.Finding) bool {
	return f.Rule.Severity >= cmp.Or(d.Fails, finding.Error)
}

func headline(f finding.Finding) string {
	if place := f.Place.String(); place != "" {
		return place + ": " + f.Message
	}
	return f.Message
}

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
