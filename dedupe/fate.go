package dedupe

import (
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// troubles are the findings about files by themselves.
type troubles struct {
	// broken are about what fails Flux's whole root: what holds a claim back.
	broken []finding.Finding
	// notes are about what Flux leaves out without a word.
	notes []finding.Finding
	// dropped has nothing added: the files are not those that are wanted.
	dropped bool
	// beyond is why a directory of a claim was not built to its end; nil if none was
	// not.
	beyond error
}

func (t *troubles) add(o *troubles) {
	if t.dropped || o == nil {
		return
	}
	t.broken = append(t.broken, o.broken...)
	t.notes = append(t.notes, o.notes...)
}

// judge adds what becomes of an object after the build. path is the file or the
// directory that it comes from.
func (r *reader) judge(of *owner, object kustomize.Object, path string, place finding.Place, found *troubles) {
	fate := object.Fate
	if found.dropped || fate == (kustomize.Fate{}) {
		return
	}
	if fate.Unwritable != "" {
		f := finding.Finding{
			Rule: finding.UnwritableObject(), Place: place, Flux: oneLine(fate.Unwritable), Fix: r.mend(of, path),
			Message: fmt.Sprintf("%s: Flux can build %s with it, and can then not write it out or decode it", object.ID, r.root.Path),
		}
		if object.Repeats != nil {
			f.Rule, f.Message = finding.RepeatedField(), object.ID.String()+": "+object.Repeats.String()+", which Flux cannot write out"
			if object.Repeats.First > 0 {
				f.Place.Line = object.Repeats.Again
			}
		}
		found.broken = append(found.broken, f)
		return
	}
	if fate.NotApplied != "" {
		found.notes = append(found.notes, finding.Finding{Rule: finding.NotApplied(), Place: place, Message: fmt.Sprintf("Flux would not apply %s: %s", object.ID, fate.NotApplied)})
	}
	if fate.Stripped != "" {
		found.notes = append(found.notes, finding.Finding{Rule: finding.NotApplied(), Place: place, Message: fmt.Sprintf("%s: %s", object.ID, fate.Stripped)})
	}
}

// noteOverlooked adds a file that looks like Kubernetes objects and has a name
// that Flux does not read.
func (r *reader) noteOverlooked(file File, found *troubles) {
	if found.dropped || !kustomize.Overlooked(file.Path, file.Content) {
		return
	}
	read := r.root.Cache.File(file.Content)
	if read.Err != nil || len(read.Objects) == 0 {
		return
	}
	what := read.Objects[0].ID.String()
	if more := len(read.Objects) - 1; more > 0 {
		what = fmt.Sprintf("%s and %d more", what, more)
	}
	found.notes = append(found.notes, finding.Finding{
		Rule: finding.NotApplied(), Place: file.Place,
		Message: fmt.Sprintf("Flux would not apply %s: it reads .yaml and .yml, in lower case, and no other file", what),
		Fix:     "Give the file the ending .yaml if it is meant for the cluster.",
	})
}

// noteNothing adds that Flux would apply nothing of a claim at all, of which it
// leaves something out.
func (t *troubles) noteNothing(claim *Claim, entries []*entry) {
	applied := slices.ContainsFunc(entries, func(e *entry) bool { return !e.id.isPath() && !e.notApplied })
	left := slices.ContainsFunc(entries, func(e *entry) bool { return e.notApplied }) ||
		slices.ContainsFunc(t.notes, func(f finding.Finding) bool { return f.Place.Line == 0 })
	if claim.Object == "" || t.dropped || applied || !left || len(t.broken) > 0 {
		return
	}
	t.notes = append(t.notes, finding.Finding{
		Rule: finding.NotApplied(), Place: finding.Place{Object: claim.Object},
		Message: "Flux would apply nothing of this placement",
		Fix:     "Mend what the other findings about it name; until then the request looks done and nothing of it runs.",
	})
}

// allNotes returns the findings about files that hold nothing back. Those of a
// claim that is kept are left out: nothing is done about it.
func (m *remembered) allNotes(claims []Claim) []finding.Finding {
	if m.notes == 0 {
		return nil
	}
	var all troubles
	all.add(m.foreign.found)
	for _, k := range m.claims {
		if !claims[k.at].Kept {
			all.add(k.found)
		}
	}
	return all.notes
}
