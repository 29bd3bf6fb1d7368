// Package policy filters findings. It omits findings that a user ignores with a flag or with a
// comment in a document, and findings in a baseline. It does no I/O.
package policy

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

// Policy is the decisions of a user about findings.
type Policy struct {
	Ignores []Ignore
	// Comments are the ignore comments in documents.
	Comments []Comment
	// Known is the baseline.
	Known Baseline
}

// Outcome is the result of applying a Policy to findings.
type Outcome struct {
	// Findings are the findings that remain, and a note about each ignore that matches nothing.
	Findings []finding.Finding
	// Ignored is the number of findings that are ignored. Known is the number of other findings that
	// are in the baseline.
	Ignored, Known int
}

// Apply omits the findings that are ignored or in the baseline. Findings about failed stores always
// remain.
func (p Policy) Apply(findings []finding.Finding) Outcome {
	var out Outcome
	flags := make([]bool, len(p.Ignores))
	comments := make([]bool, len(p.Comments))
	known := p.Known.clone()
	for _, f := range findings {
		if f.Rule == finding.StoreFailed() {
			out.Findings = append(out.Findings, f) // nothing in a failed store was checked
			continue
		}
		ignored := false
		for i, ignore := range p.Ignores {
			if ignore.matches(f) {
				flags[i], ignored = true, true
			}
		}
		for i, comment := range p.Comments {
			if comment.matches(f) {
				comments[i], ignored = true, true
			}
		}
		switch {
		case ignored:
			out.Ignored++
		case known.take(f):
			out.Known++
		default:
			out.Findings = append(out.Findings, f)
		}
	}
	out.Findings = append(out.Findings, p.unused(flags, comments)...)
	finding.Sort(out.Findings)
	return out
}

func (p Policy) unused(flags, comments []bool) []finding.Finding {
	var notes []finding.Finding
	for i, used := range flags {
		if !used {
			notes = append(notes, finding.Finding{
				Rule: finding.UnusedIgnore(), Message: "--ignore " + p.Ignores[i].String() + " matches nothing",
			})
		}
	}
	for i, used := range comments {
		if !used {
			comment := p.Comments[i]
			message := "the comment that ignores " + comment.Rule + " matches nothing"
			if _, err := finding.ByID(comment.Rule); err != nil {
				message = "the comment ignores " + comment.Rule + ", which is not a rule"
			}
			if comment.Rule == "" {
				message = "the comment ignores nothing: name the rule after " + mark
			}
			notes = append(notes, finding.Finding{Rule: finding.UnusedIgnore(), Place: comment.Place, Message: message})
		}
	}
	return notes
}

// Ignore ignores the findings of a rule. If Glob is set, their place must match it.
type Ignore struct{ Rule, Glob string }

// ErrIgnore is the error for an invalid --ignore.
var ErrIgnore = errors.New("invalid ignore")

// ParseIgnore parses "KS001" or "KS001:GLOB". Its errors wrap ErrIgnore.
func ParseIgnore(text string) (Ignore, error) {
	rule, glob, hasGlob := strings.Cut(text, ":")
	if _, err := finding.ByID(rule); err != nil {
		return Ignore{}, fmt.Errorf("%w %q: there is no rule %s; `kratix-schedule explain` lists them", ErrIgnore, text, rule)
	}
	if rule == finding.StoreFailed().ID {
		return Ignore{}, fmt.Errorf("%w %q: where a store could not be read nothing was checked, which cannot be left out", ErrIgnore, text)
	}
	if hasGlob && glob == "" {
		return Ignore{}, fmt.Errorf("%w %q: nothing follows the colon", ErrIgnore, text)
	}
	if _, err := path.Match(glob, ""); err != nil {
		return Ignore{}, fmt.Errorf("%w %q: %w", ErrIgnore, text, err)
	}
	return Ignore{Rule: rule, Glob: glob}, nil
}

// String returns the ignore in the syntax of ParseIgnore.
func (i Ignore) String() string {
	if i.Glob == "" {
		return i.Rule
	}
	return i.Rule + ":" + i.Glob
}

// matches reports whether the ignore applies to a finding. The pattern may match the file or the
// object of the finding or of a related place.
func (i Ignore) matches(f finding.Finding) bool {
	if f.Rule.ID != i.Rule {
		return false
	}
	if i.Glob == "" || i.fits(f.Place) {
		return true
	}
	for _, related := range f.Related {
		if i.fits(related.Place) {
			return true
		}
	}
	return false
}

func (i Ignore) fits(p finding.Place) bool {
	_, key, _ := strings.Cut(p.Object, " ")
	for _, name := range []string{p.Object, key, p.File, path.Base(p.File)} {
		if ok, _ := path.Match(i.Glob, name); ok && name != "" {
			return true
		}
	}
	return false
}
