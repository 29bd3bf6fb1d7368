package dedupe

import (
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/finding"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// withoutHiding takes out kustomizations that lie above the files of claims,
// and tells of them: Flux would build nothing but what they list. Clashes are
// looked for as if they were not there.
func (s *session) withoutHiding(files []File) []File {
	return slices.DeleteFunc(slices.Clone(files), func(file File) bool {
		if !kustomize.IsKustomization(file.Path) || (s.root.Ignored != nil && s.root.Ignored(file.Path)) {
			return false
		}
		below := 0
		for _, claim := range s.root.Claims {
			for _, other := range slices.Concat(claim.Stored, claim.Wanted) {
				if other.Path.Within(file.Path.Dir()) {
					below++
					break
				}
			}
		}
		if below == 0 && file.Path.Dir() != s.root.Path {
			return false
		}
		s.broken = append(s.broken, finding.Finding{
			Rule: finding.HidingKustomization(), Place: file.Place, Fix: s.mend(foreign, file.Path.String()),
			Message: fmt.Sprintf("Flux applies only what it lists of %s; files of %d placements lie there", file.Path.Dir(), below),
		})
		return true
	})
}
