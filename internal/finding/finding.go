// Package finding turns what is wrong into what a user reads: which object,
// which file and line, what is wrong and what to do. Every finding has a rule
// of one table. It does no I/O.
package finding

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
)

// Finding is one thing a user should know.
type Finding struct {
	Rule Rule
	// Place is where the trouble is.
	Place Place
	// Message says what is wrong, in one line.
	Message string
	// Related are the other places that take part, the other owner of a clash
	// for one.
	Related []Related
	// Flux holds the words that Flux would say, where it would say any.
	Flux string
	// Cause says more than the rule; empty where there is no more to say.
	Cause Cause
	// Fix says what to do; empty means the rule's own.
	Fix string
}

// Place is an object, or a file in it, or a line of that.
type Place struct {
	// Object is as kratix.Describe returns it: "Work default/example".
	Object string
	// File is the file within the object (a workload's path), or the input file.
	File string
	// Line counts from 1; 0 is unknown.
	Line int
}

// Related is another place that takes part in a finding.
type Related struct {
	Place   Place
	Message string
}

// String returns "Work default/example, crds.yaml:3", without what is unknown.
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

// Advice returns what to do.
func (f Finding) Advice() string { return cmp.Or(f.Fix, f.Rule.Fix) }

// Sort orders findings as Compare says.
func Sort(findings []Finding) { slices.SortStableFunc(findings, Compare) }

// Compare orders two findings: the graver first, then by rule, place and
// message.
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

// Worst returns the gravest severity among findings; None when there are none.
func Worst(findings []Finding) Severity {
	worst := None
	for _, f := range findings {
		worst = max(worst, f.Rule.Severity)
	}
	return worst
}

// Fingerprint names a finding such that it stays the same when lines move.
func (f Finding) Fingerprint() string {
	sum := sha256.New()
	for _, part := range []string{f.Rule.ID, f.Place.Object, f.Place.File, f.Message} {
		_, _ = fmt.Fprintf(sum, "%d:%s", len(part), part) // a hash takes everything
	}
	const length = 16
	return hex.EncodeToString(sum.Sum(nil)[:length])
}
