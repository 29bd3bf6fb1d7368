package dedupe

import (
	"slices"
)

func report(a *admission, c confirmation) Verdict {
	findings := slices.Concat(a.broken, c.broken, quoteLate(a, c), a.notes)
	held := map[int]string{}
	for i, st := range a.states {
		switch st {
		case eligible:
			conflicts := conflictsOf(a, i)
			if a.root.Policy != Report || slices.ContainsFunc(conflicts, conflict.isPath) {
				held[i] = summary(a.root, conflicts)
			}
			findings = appendConflicts(findings, a.parsed, conflicts)
		case unbuildable:
			if a.root.Policy != Report {
				held[i] = "Flux could not build " + a.root.Path.String() + " with it"
			}
			findings = appendConflicts(findings, a.parsed, conflictsOf(a, i))
		case pinned:
			held[i] = "others share objects in its files, and cannot take them over now"
		case admitted, kept:
		}
	}
	for _, e := range a.index.doubled() {
		if first := a.index.at(e.id)[0]; !e.elsewhere && !first.elsewhere && !same(first, e) && !a.copies.compatible(first, e) {
			findings = append(findings, conflict{e, first}.finding(a.parsed))
		}
	}
	findings = append(quoteConflict(a, c, findings), checkCost(a.root, a.counts)...)
	files, shared := share(a)
	return Verdict{
		Quarantined: held, Files: files, Shared: shared, Findings: findings,
		decided: &decision{root: a.root, index: a.index, claims: a.claims},
	}
}
