package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

// warningsAlone returns the warnings about some claims of a Destination, and marks the doubtful
// claims. ok is false if all claims must be checked.
func (i *independence) warningsAlone(c *checked, roots []dedupe.Root) (_ []finding.Finding, ok bool) {
	with := slices.Clone(roots)
	for at := range with {
		with[at].Foreign = i.foreign[at]
	}
	a := newApplyCheck(c, with)
	if a.off() {
		return nil, true
	}
	for _, root := range roots {
		for _, claim := range root.Claims {
			if slices.ContainsFunc(claim.Stored, c.isNeeded) {
				return nil, false
			}
		}
	}
	a.claims()
	a.among(make([]dedupe.Verdict, len(roots)))
	mayNeed := i.provides && (a.hasCustom || len(a.beside) > 0)
	if len(a.errors)+len(a.alone) > 0 || a.provides || mayNeed {
		return nil, false
	}
	for at, root := range roots {
		for claim, p := range c.inRoot(root.Path) {
			p.doubtful = a.doubtful[at][claim]
		}
	}
	return c.withOwners(a.beside, ofUnknownPlacement), true
}
