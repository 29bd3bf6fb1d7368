package report

import (
	"strconv"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

// Reading is how much a check has read.
type Reading struct {
	Files        int `json:"files"`
	Works        int `json:"works"`
	Destinations int `json:"destinations"`
	// Objects are those in the files of the Works, and in the files of a tree.
	Objects int `json:"objects"`
}

// String returns "read 3 files: 2 Works, 1 Destination, 14 objects".
func (r Reading) String() string {
	return "read " + Plural(r.Files, "file") + ": " + Plural(r.Works, "Work") + ", " + Plural(r.Destinations, "Destination") + ", " + Plural(r.Objects, "object")
}

// Plural returns a number and a noun: "1 file", "2 files", "3 directories".
func Plural(n int, noun string) string {
	if n == 1 {
		return strconv.Itoa(n) + " " + noun
	}
	if stem := len(noun) - 1; noun[stem] == 'y' {
		return finding.Thousands(n) + " " + noun[:stem] + "ies"
	}
	return finding.Thousands(n) + " " + noun + "s"
}

// Volume is how much a text for people says.
type Volume int

// The volumes.
const (
	// Normal has findings, of which noise is folded, and a summary.
	Normal Volume = iota
	// Quiet has nothing but findings.
	Quiet
	// Verbose has each finding, noise too.
	Verbose
)

// Shown returns the findings that a text for people has.
func (v Volume) Shown(findings []finding.Finding) []finding.Finding {
	if v == Verbose {
		return findings
	}
	return finding.Fold(findings)
}
