package applycheck

import (
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

// pruneKey is the annotation or label that controls whether Flux deletes an object that is no
// longer in its files.
const pruneKey = "kustomize.toolkit.fluxcd.io/prune" // if "disabled", the object stays

// removalFaults returns the faults of the CustomResourceDefinitions in a stored file. A fault is
// the removal of a definition or version while objects of its kind remain.
func (p *presence) removalFaults(claim *claimFiles, file *checkedFile) []fault {
	if slices.ContainsFunc(claim.wanted, func(w *checkedFile) bool { return w.facts == file.facts }) {
		return nil // nothing in a wanted file is removed
	}
	var faults []fault
	for i := range file.facts.objects {
		o := &file.facts.objects[i]
		if o.defines == nil || !o.applied {
			continue
		}
		after, stays := p.after[o.defines.GroupKind]
		if !stays && o.unpruned {
			continue
		}
		for _, version := range o.defines.versions {
			left := p.remaining[o.defines.WithVersion(version)]
			if after[version] || left == nil {
				continue
			}
			what := "it goes"
			if stays {
				what = fmt.Sprintf("its version %s goes", version)
			}
			words := fmt.Sprintf("%s, and %s remains", what, left.object)
			if left.count > 1 {
				words = fmt.Sprintf("%s, and %s and %d more remain", what, left.object, left.count-1)
			}
			f := newFault(finding.DefinitionRemoved(), o, o.line, words)
			f.certain = !p.opaque
			f.related = []finding.Related{{Place: left.file.placeOf(left.object), Message: "it remains"}}
			faults = append(faults, f)
		}
	}
	return faults
}

func (f *checkedFile) placeOf(o *objectFacts) finding.Place {
	place := f.Place
	place.Line = o.line
	return place
}
