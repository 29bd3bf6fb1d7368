package reconcile

import (
	"maps"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/applycheck"
	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// applyCheck decides which claims of a Destination the API server would refuse.
type applyCheck struct {
	policy applycheck.Policy
	input  applycheck.Input
	// refused are the quarantined claims of each root.
	refused  []map[int]applycheck.Refusal
	doubtful []map[int]bool
	// errors are the findings with severity Error. alone and beside are the other findings about
	// claims that were checked separately and together.
	errors, alone, beside []finding.Finding
	// provides and hasCustom mean that the verdict on a root has Provides or HasCustom.
	provides, hasCustom bool
}

func newApplyCheck(c *checked, roots []dedupe.Root) *applyCheck {
	a := &applyCheck{policy: c.policy.CheckApply, input: applycheck.Input{Cluster: c.cluster, Roots: roots, Memory: c.applied, State: c.applyState}}
	for range roots {
		a.refused, a.doubtful = append(a.refused, map[int]applycheck.Refusal{}), append(a.doubtful, map[int]bool{})
	}
	return a
}

func (a *applyCheck) off() bool { return a.policy == "" || a.policy == applycheck.Off }

func (a *applyCheck) claims() {
	if a.off() {
		return
	}
	for i, verdict := range applycheck.CheckClaims(a.input) {
		a.alone = append(a.alone, a.take(i, verdict)...)
	}
}

// among checks the claims of each root together, except those that builds quarantines. It reports
// whether more claims are refused now.
func (a *applyCheck) among(builds []dedupe.Verdict) bool {
	if a.off() {
		return false
	}
	in := a.input
	in.Roots = make([]dedupe.Root, 0, len(a.input.Roots))
	for i, root := range a.input.Roots {
		root.Claims = append([]dedupe.Claim{}, root.Claims...)
		for held := range builds[i].Quarantined {
			root.Claims[held].Kept = true
		}
		in.Roots = append(in.Roots, root)
	}
	a.beside, a.provides, a.hasCustom = nil, false, false
	before := a.count()
	for i, verdict := range applycheck.CheckRoots(in) {
		a.beside = append(a.beside, a.take(i, verdict)...)
		a.provides, a.hasCustom = a.provides || verdict.Provides, a.hasCustom || verdict.HasCustom
	}
	return a.count() > before
}

// take adds a verdict on a root, and returns its warnings.
func (a *applyCheck) take(root int, verdict applycheck.Verdict) (warnings []finding.Finding) {
	for _, f := range verdict.Findings {
		if a.policy == applycheck.Warn {
			f.Rule.Severity = min(f.Rule.Severity, finding.Warning)
		}
		if f.Rule.Severity == finding.Error {
			a.errors = append(a.errors, f)
		} else {
			warnings = append(warnings, f)
		}
	}
	if a.policy == applycheck.Warn {
		return warnings
	}
	maps.Copy(a.refused[root], verdict.Quarantined)
	maps.Copy(a.doubtful[root], verdict.Doubtful)
	for held := range verdict.Quarantined {
		a.input.Roots[root].Claims[held].Kept = true
	}
	return warnings
}

func (a *applyCheck) count() (n int) {
	for _, refused := range a.refused {
		n += len(refused)
	}
	return n
}

// isNeeded reports whether a file has a Namespace or a CustomResourceDefinition.
func (c *checked) isNeeded(file dedupe.File) bool {
	return slices.ContainsFunc(c.read.File(file.Content).Objects, func(o kustomize.Object) bool {
		return o.ID.Kind == "Namespace" || o.ID.Kind == "CustomResourceDefinition"
	})
}
