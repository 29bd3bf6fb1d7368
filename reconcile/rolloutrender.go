package reconcile

import (
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// rollOut sets the mark and the rolled-back entries in a placement's record. It returns true if a
// rollout replaces the wanted files by former files.
func (w *wanted) rollOut(p *placement) bool {
	if record := w.recordOf(p); record != nil {
		p.rendering.RolledBack, p.rendering.Rollout = record.RolledBack, record.Rollout
	}
	step := w.plan.steps[p.WorkPlacement]
	if step == nil {
		return false
	}
	p.rendering.Rollout = step.mark
	if !step.isFormer {
		return false
	}
	files, ok := w.asRendered(p, step.files)
	if !ok {
		p.quarantine("its former files were in another directory")
		return true
	}
	if step.undone != nil {
		undone := *step.undone
		undone.Files = contentDigest(p.asStored())
		p.rendering.RolledBack = layout.WithRolledBack(p.rendering.RolledBack, undone)
		p.because = &undone
		w.add(finding.Finding{Rule: finding.RolledBack(), Place: finding.Place{Object: p.object()}, Message: "on " + w.Name + ": " + rolledBackReason(&undone)})
	}
	p.rendering.Files = files
	p.state, p.reason = report.Placed, step.reason
	w.renewRecord(p)
	return true
}
