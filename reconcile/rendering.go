package reconcile

import (
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

type renderKey struct {
	work      *kratix.Work
	group     string
	name      string
	misplaced bool
	movedFrom string
	owner     string
}

func renderKeyOf(p *scheduler.Placement, owner string) renderKey {
	return renderKey{
		work: p.Work, group: p.Spec.ID, name: p.Name,
		misplaced: p.Misplaced, movedFrom: p.Labels[kratix.MovedFromLabel], owner: owner,
	}
}

type rendered struct {
	rendering layout.Rendering
	record    tree.File
	// findings keep the placement from being written. warnings do not.
	findings, warnings []finding.Finding
}

func (s *situation) render(from *scheduler.Placement) rendered {
	rendering, findings := layout.Render(s.Destination, from.WorkPlacement)
	rendering.Owner = s.policy.Owner
	record, err := layout.NewRecord(s.Destination, from.WorkPlacement, rendering)
	if err != nil {
		findings = append(findings, finding.Finding{Rule: layout.RuleOf(err), Place: finding.Place{Object: kratix.Describe(from.Work)}, Message: err.Error()})
	}
	refused, warnings := s.store.limits.Check(s.Destination, from.WorkPlacement, rendering, record.Path)
	return rendered{rendering: rendering, record: record, findings: append(findings, refused...), warnings: warnings}
}
