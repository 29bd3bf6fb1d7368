// Package finding defines the problems that are reported to users.
package finding

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
)

// Finding is a problem that is reported to users.
type Finding struct {
	Rule  Rule
	Place Place
	// Subject is the Kubernetes object or the path that the finding is about, such as "ConfigMap
	// default/x". It may be empty.
	Subject string
	// Message describes the problem in one line.
	Message string
	// Related are other places of the problem, such as the other claimant of a conflict.
	Related []Related
	// Flux is the error message that Flux would report, if any.
	Flux string
	// Cause distinguishes failures under the same rule. It may be empty.
	Cause Cause
	// Fix is the advice to the user. If it is empty, the Fix of the rule applies.
	Fix string
}

// Place is an object, a file, or a line of a file. Unknown parts are empty.
type Place struct {
	// Object is the object in the form of kratix.Describe, such as "Work default/example".
	Object string
	// File is the path of a workload in the object, or the input file.
	File string
	// Line is the number of the line, counted from 1, or 0 if it is not known.
	Line int
}

// Related is another place of a finding.
type Related struct {
	Place   Place
	Message string
}

// String returns the known parts, such as "Work default/example, crds.yaml:3".
func (p Place) String() string {
	file := p.File
	if p.Line > 0 {
		file += ":" + strconv.Itoa(p.Line)
	}
	switch {
	case p.Object == "":
		return file
	case file == "":
		return p.Object
	}
	return p.Object + ", " + file
}

// Advice returns the Fix of the finding or, if it is empty, the Fix of the rule.
func (f Finding) Advice() string { return cmp.Or(f.Fix, f.Rule.Fix) }

// Equal reports whether all fields of two findings are equal.
func (f Finding) Equal(other Finding) bool {
	return f.Rule == other.Rule && f.Place == other.Place && f.Subject == other.Subject && f.Message == other.Message &&
		f.Flux == other.Flux && f.Cause == other.Cause && f.Fix == other.Fix && slices.Equal(f.Related, other.Related)
}

// Sort sorts findings in the order of Compare.
func Sort(findings []Finding) { slices.SortStableFunc(findings, Compare) }

// Compare compares findings by severity, the highest first, and then by rule, place and message.
func Compare(a, b Finding) int {
	return cmp.Or(
		cmp.Compare(b.Rule.Severity, a.Rule.Severity),
		cmp.Compare(a.Rule.ID, b.Rule.ID),
		comparePlaces(a.Place, b.Place),
		cmp.Compare(a.Message, b.Message),
	)
}

func comparePlaces(a, b Place) int {
	return cmp.Or(
		cmp.Compare(a.Object, b.Object),
		cmp.Compare(a.File, b.File),
		cmp.Compare(a.Line, b.Line),
	)
}

// Worst returns the highest severity of the findings, or None if there are no findings.
func Worst(findings []Finding) Severity {
	worst := None
	for _, f := range findings {
		worst = max(worst, f.Rule.Severity)
	}
	return worst
}

// Fingerprint returns an identifier of a finding that does not change when lines move.
func (f Finding) Fingerprint() string {
	digest := sha256.New()
	for _, part := range []string{f.Rule.ID, f.Place.Object, f.Place.File, f.Message} {
		_, _ = fmt.Fprintf(digest, "%d:%s", len(part), part) // a hash returns no error
	}
	const length = 16
	return hex.EncodeToString(digest.Sum(nil)[:length])
}
