package dedupe

import (
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

// conflict is an object in two places, or a path with two claims.
type conflict struct{ later, first *entry }

func (c conflict) isPath() bool { return c.later.id.isPath() }

// conflictsOf returns the conflicts of a claim: those about paths if there are any, and otherwise
// those about objects.
func conflictsOf(a *admission, i int) []conflict {
	var conflicts []conflict
	for later, first := range a.index.conflicts(a.claims[i].wanted, a.copies) {
		conflicts = append(conflicts, conflict{later, first})
	}
	if slices.ContainsFunc(conflicts, conflict.isPath) {
		return slices.DeleteFunc(conflicts, func(c conflict) bool { return !c.isPath() })
	}
	return conflicts
}

func summary(root *Root, conflicts []conflict) string {
	switch {
	case len(conflicts) > 0 && conflicts[0].isPath():
		return "another has its path"
	case len(conflicts) == 1:
		return "one of its objects is in " + root.Path.String() + " already"
	default:
		return fmt.Sprintf("%d of its objects are in %s already", len(conflicts), root.Path)
	}
}

// maxConflicts is the maximum number of conflicts of a claim that are listed.
const maxConflicts = 100

func appendConflicts(findings []finding.Finding, p *parsed, conflicts []conflict) []finding.Finding {
	for _, c := range conflicts[:min(len(conflicts), maxConflicts)] {
		findings = append(findings, c.finding(p))
	}
	if more := len(conflicts) - maxConflicts; more > 0 {
		findings[len(findings)-1].Message += fmt.Sprintf("; %d more conflicts of the same Work are not listed", more)
	}
	return findings
}

func (c conflict) finding(p *parsed) finding.Finding {
	related := finding.Related{Place: c.first.place, Message: p.root.ownerOf(c.first)}
	if holder := p.copies.holders[c.first.id]; c.first.elsewhere && holder != nil {
		related.Place = holder.place
	}
	f := finding.Finding{Place: c.later.place, Related: []finding.Related{related}}
	if c.isPath() {
		f.Rule, f.Message = c.explainPath(p.root)
		f.Subject = c.later.at().String()
	} else {
		f.Subject = c.later.id.object.String()
		f.Rule, f.Message = finding.DuplicateObject(), fmt.Sprintf("%s is in %s already%s", c.later.id.object, p.root.Path, p.copies.difference(c.later, c.first))
	}
	return f
}

func (c conflict) explainPath(root *Root) (finding.Rule, string) {
	at := c.later.at()
	switch {
	case c.later.kind == governs:
		return finding.ReservedName(), fmt.Sprintf("it would decide what Flux reads of %s, where others have files", at)
	case c.first.kind == governs:
		return finding.PathTaken(), fmt.Sprintf("%s is another's: its %s decides what Flux reads there", at, c.first.path.Base())
	case c.later.kind == leads:
		return finding.PathTaken(), fmt.Sprintf("%s is %s, so nothing else can lie below it", at, whatLiesAt(root, c.first))
	case c.first.kind == leads:
		return finding.PathTaken(), fmt.Sprintf("%s is a directory in which another has files", at)
	}
	return finding.PathTaken(), at.String() + " is another's"
}

func whatLiesAt(root *Root, e *entry) string {
	switch {
	case e.of == nil:
		return root.kindOf(e)
	case root.Claims[e.claim()].Dir == e.path:
		return "another's directory"
	}
	return "another's file"
}
