package dedupe

import (
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// findHiding returns the kustomizations that lie above files of others, or at
// the root, with a finding about each: Flux would build nothing there but what they
// list. The rest of the check leaves them out.
func findHiding(root *Root, ranks []int) (hiding map[tree.Path]bool, findings []finding.Finding) {
	hiding = map[tree.Path]bool{}
	for _, file := range root.Foreign {
		if below, hides := hiddenBy(root, noClaim, file, ranks); hides {
			hiding[file.Path] = true
			findings = append(findings, finding.Finding{
				Rule: finding.HidingKustomization(), Place: file.Place, Fix: foreignFix(nil, file.Path.String()),
				Message: fmt.Sprintf("Flux applies only what it lists of %s; files of %d placements lie there", file.Path.Dir(), below),
			})
		}
	}
	for i := range root.Claims {
		for _, file := range slices.Concat(root.Claims[i].Stored, root.Claims[i].Wanted) {
			if _, hides := hiddenBy(root, i, file, ranks); hides && !hiding[file.Path] {
				hiding[file.Path] = true
				findings = append(findings, finding.Finding{
					Rule: finding.HidingKustomization(), Place: file.Place,
					Message: fmt.Sprintf("Flux would apply only what it lists of %s, and nothing of others there", file.Path.Dir()),
				})
			}
		}
	}
	return hiding, findings
}

// hiddenBy counts the placements with files that a file of a claim hides. Below one that is
// in the store already, those that come later do not count: they are quarantined.
func hiddenBy(root *Root, by int, file File, ranks []int) (placements int, hides bool) {
	if !kustomize.IsKustomization(file.Path) || root.Ignored.Has(file.Path) {
		return 0, false
	}
	dir := file.Path.Dir()
	within := func(f File) bool { return f.Path.Within(dir) && !root.Ignored.Has(f.Path) }
	stored := by != noClaim && slices.ContainsFunc(root.Claims[by].Stored, func(f File) bool { return f.Path == file.Path })
	for i := range root.Claims {
		claim := &root.Claims[i]
		first := !stored || ranks[i] < ranks[by]
		if by != i && (slices.ContainsFunc(claim.Stored, within) || first && slices.ContainsFunc(claim.Wanted, within)) {
			placements++
		}
	}
	hides = placements > 0 || dir == root.Path || (by != noClaim && slices.ContainsFunc(root.Foreign, within))
	return placements, hides
}
