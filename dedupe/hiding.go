package dedupe

import (
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// findHiding returns the kustomizations at the root or above files of other claims, with a finding
// about each. Flux would build only the files that they list.
func findHiding(root *Root, ranks []int) (hiding map[tree.Path]bool, findings []finding.Finding) {
	hiding = map[tree.Path]bool{}
	add := func(by int, file File) {
		below, hides := hiddenBy(root, by, file, ranks)
		if !hides || hiding[file.Path] {
			return
		}
		hiding[file.Path] = true
		f := finding.Finding{
			Rule: finding.HidingKustomization(), Place: file.Place,
			Message: fmt.Sprintf("Flux would apply only what it lists of %s, and nothing of others there", file.Path.Dir()),
		}
		if by == noClaim {
			f.Message = fmt.Sprintf("Flux applies only what it lists of %s; files of %d placements lie there", file.Path.Dir(), below)
			f.Fix = foreignFix(nil, file.Path.String())
		}
		findings = append(findings, f)
	}
	for _, file := range root.Foreign {
		add(noClaim, file)
	}
	for i := range root.Claims {
		for _, file := range slices.Concat(root.Claims[i].Stored, root.Claims[i].Wanted) {
			add(i, file)
		}
	}
	return hiding, findings
}

// hiddenBy returns the number of placements with files that a kustomization hides. hides reports
// whether the kustomization hides files of others or is at the root. by is the index of the
// kustomization's claim, or noClaim.
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
