package dedupe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// fileFindings are the findings about single files. A nil *fileFindings drops all findings, because
// the files will not be written.
type fileFindings struct {
	// broken are findings about files that make the build fail.
	broken []finding.Finding
	notes  []finding.Finding
}

func (f *fileFindings) add(o *fileFindings) {
	if f != nil && o != nil {
		f.broken = append(f.broken, o.broken...)
		f.notes = append(f.notes, o.notes...)
	}
}

func (f *fileFindings) addObject(root *Root, of *claimant, object kustomize.Object, path string, place finding.Place) {
	fate := object.Outcome
	if f == nil || fate == (kustomize.Outcome{}) {
		return
	}
	if fate.Unwritable != "" {
		unwritable := finding.Finding{
			Rule: finding.UnwritableObject(), Place: place, Flux: strings.Join(strings.Fields(fate.Unwritable), " "), Fix: foreignFix(of, path),
			Message: fmt.Sprintf("%s: Flux can build %s with it, but then cannot serialize or decode it", object.ID, root.Path),
		}
		if object.Repeats != nil {
			unwritable.Rule, unwritable.Message = finding.RepeatedField(), object.ID.String()+": "+object.Repeats.String()+", which Flux cannot serialize"
			if object.Repeats.First > 0 {
				unwritable.Place.Line = object.Repeats.Second
			}
		}
		f.broken = append(f.broken, unwritable)
		return
	}
	if fate.NotApplied != "" {
		f.note(place, fmt.Sprintf("Flux would not apply %s: %s", object.ID, fate.NotApplied), "")
	}
	if fate.Stripped != "" {
		f.note(place, fmt.Sprintf("%s: %s", object.ID, fate.Stripped), "")
	}
}

func (f *fileFindings) note(place finding.Place, message, fix string) {
	f.notes = append(f.notes, finding.Finding{Rule: finding.NotApplied(), Place: place, Message: message, Fix: fix})
}

// noteOverlooked adds a finding if a file contains Kubernetes objects but has a name that Flux does
// not read.
func (f *fileFindings) noteOverlooked(root *Root, file File) {
	if f == nil || !kustomize.Overlooked(file.Path, file.Content) {
		return
	}
	read := root.Cache.File(file.Content)
	if read.Err != nil || len(read.Objects) == 0 {
		return
	}
	what := read.Objects[0].ID.String()
	if more := len(read.Objects) - 1; more > 0 {
		what = fmt.Sprintf("%s and %d more", what, more)
	}
	f.note(file.Place, fmt.Sprintf("Flux would not apply %s: it reads .yaml and .yml, in lower case, and no other file", what),
		"Give the file the ending .yaml if it is meant for the cluster.")
}

func (f *fileFindings) noteNothing(claim *Claim, entries []*entry) {
	if f == nil || claim.Object == "" || len(f.broken) > 0 || slices.ContainsFunc(entries, func(e *entry) bool { return !e.id.isPath() && !e.notApplied }) {
		return
	}
	if slices.ContainsFunc(entries, func(e *entry) bool { return e.notApplied }) ||
		slices.ContainsFunc(f.notes, func(f finding.Finding) bool { return f.Place.Line == 0 }) {
		f.note(finding.Place{Object: claim.Object}, "Flux would apply nothing of this placement",
			"Correct what the other findings about it name; until then the request looks complete, but nothing of it runs.")
	}
}
