package report

import (
	"slices"
	"strconv"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

// Reading is the amount of input of a check.
type Reading struct {
	Files        int `json:"files"`
	Works        int `json:"works"`
	Destinations int `json:"destinations"`
	// Objects is the number of objects in the files.
	Objects int `json:"objects"`
}

// String returns the amounts as text, such as "read 3 files: 2 Works, 1 Destination, 14 objects".
func (r Reading) String() string {
	return "read " + Plural(r.Files, "file") + ": " + Plural(r.Works, "Work") + ", " + Plural(r.Destinations, "Destination") + ", " + Plural(r.Objects, "object")
}

// Plural returns a number and a noun, such as "1 file", "2 files" or "3 directories". noun must not
// be empty.
func Plural(n int, noun string) string {
	if n == 1 {
		return strconv.Itoa(n) + " " + noun
	}
	if stem := len(noun) - 1; noun[stem] == 'y' {
		return finding.Thousands(n) + " " + noun[:stem] + "ies"
	}
	return finding.Thousands(n) + " " + noun + "s"
}

// Volume is the verbosity of text output.
type Volume int

// The values of Volume.
const (
	// Normal writes a summary and the findings, with frequent findings folded.
	Normal Volume = iota
	// Quiet writes the findings, with frequent findings folded.
	Quiet
	// Verbose writes a summary and every finding.
	Verbose
)

// Shown returns the findings that text output contains.
func (v Volume) Shown(findings []finding.Finding) []finding.Finding {
	if v == Verbose {
		return findings
	}
	return slices.Collect(finding.Fold(slices.Values(findings)))
}
