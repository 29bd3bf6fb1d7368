package reconcile

import (
	"github.com/kratix-schedule/kratix-schedule/finding"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// repeated is what a rendering has of fields that an object has twice, once that
// is known.
type repeated struct {
	known bool
	found []finding.Finding
}

// repeatedFields tells of each object of the placement that has a field twice.
// Flux builds the root with it and cannot write out what it built.
func (p *desiredPlacement) repeatedFields(read *kustomize.Cache) []finding.Finding {
	if p.repeated == nil || !p.writable() && !p.clashes {
		return nil
	}
	if !p.repeated.known {
		p.repeated.known, p.repeated.found = true, p.findRepeated(read)
	}
	return p.repeated.found
}

func (p *desiredPlacement) findRepeated(read *kustomize.Cache) []finding.Finding {
	var found []finding.Finding
	for _, file := range p.wanted() {
		if !kustomize.Loads(file.Path) || kustomize.IsKustomization(file.Path) {
			continue
		}
		for _, object := range read.File(file.Content).Objects {
			if object.Repeats == nil {
				continue
			}
			place := file.Place
			place.Line = object.Repeats.Again
			found = append(found, finding.Finding{
				Rule: finding.RepeatedField(), Place: place,
				Message: object.ID.String() + ": " + object.Repeats.String() + ", which Flux cannot write out",
			})
		}
	}
	return found
}
