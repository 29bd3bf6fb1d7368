package dedupe

import (
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// withoutHiding finds the kustomizations that lie above files of others, or at
// the root, and reports them: Flux would build nothing there but what they
// list. Everything else is looked at as if they were not there.
func (s *session) withoutHiding() {
	if s.known.kustomizations == 0 {
		return
	}
	s.hiding = map[tree.Path]bool{}
	for _, file := range s.root.Foreign {
		if below, hides := s.hiddenBy(nil, file); hides {
			s.hiding[file.Path] = true
			s.found.broken = append(s.found.broken, finding.Finding{
				Rule: finding.HidingKustomization(), Place: file.Place, Fix: s.mend(nil, file.Path.String()),
				Message: fmt.Sprintf("Flux applies only what it lists of %s; files of %d placements lie there", file.Path.Dir(), below),
			})
		}
	}
	for i := range s.root.Claims {
		of := &s.known.claims[i].owner
		for _, file := range slices.Concat(s.root.Claims[i].Stored, s.root.Claims[i].Wanted) {
			if _, hides := s.hiddenBy(of, file); hides && !s.hiding[file.Path] {
				s.hiding[file.Path] = true
				s.found.broken = append(s.found.broken, finding.Finding{
					Rule: finding.HidingKustomization(), Place: file.Place,
					Message: fmt.Sprintf("Flux would apply only what it lists of %s, and nothing of others there", file.Path.Dir()),
				})
			}
		}
	}
}

// hides reports whether a claim wants a kustomization that hides others' files.
func (s *session) hides(claim Claim) bool {
	return slices.ContainsFunc(claim.Wanted, func(f File) bool { return s.hiding[f.Path] })
}

// hiddenBy counts the placements with files that a file hides. Below one that is
// in the store already, those that come later do not count: they are held back.
func (s *session) hiddenBy(of *owner, file File) (placements int, hides bool) {
	if !kustomize.IsKustomization(file.Path) || s.root.Ignored.Has(file.Path) {
		return 0, false
	}
	dir := file.Path.Dir()
	within := func(f File) bool { return f.Path.Within(dir) && !s.root.Ignored.Has(f.Path) }
	stored := of != nil && slices.ContainsFunc(s.root.Claims[of.at].Stored, func(f File) bool { return f.Path == file.Path })
	for i := range s.root.Claims {
		claim := &s.root.Claims[i]
		first := !stored || s.ranks[i] < s.ranks[of.at]
		if (of == nil || of.at != i) && (slices.ContainsFunc(claim.Stored, within) || first && slices.ContainsFunc(claim.Wanted, within)) {
			placements++
		}
	}
	hides = placements > 0 || dir == s.root.Path || (of != nil && slices.ContainsFunc(s.root.Foreign, within))
	return placements, hides
}
