package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

// rollBack restores the last applied files of a placement if the agent could not apply the stored
// ones. A placement whose files were rolled back before is held back.
func (w *wanted) rollBack(p *placement) {
	if record := w.recordOf(p); record != nil {
		p.rendering.RolledBack = record.RolledBack
	}
	if at := slices.IndexFunc(w.failed, func(f *failedFiles) bool { return f.unit == unitOf(p.WorkPlacement) }); at >= 0 {
		p.failed = w.failed[at]
		if w.policy.RollBack && w.restore(p) {
			return
		}
	}
	if len(p.rendering.RolledBack) == 0 {
		return
	}
	if undone := p.undone(contentDigest(p.asStored())); undone != nil && !p.isRetried(undone) {
		p.state, p.reason = report.HeldBack, rolledBackReason(undone)
		w.add(w.rolledBack(p, undone))
		return
	}
	w.renewRecord(p)
}

// restore sets the files of a placement to those that its agent last applied. It returns false if
// the files that failed were rolled back before, or if an applied file is outside the placement's
// directory.
func (w *wanted) restore(p *placement) bool {
	if before := p.undone(p.failed.undone.Files); before != nil && !p.isRetried(before) {
		return false
	}
	files, ok := w.asRendered(p, p.failed.applied)
	if !ok {
		w.add(finding.Finding{
			Rule: finding.NotRolledBack(), Place: finding.Place{Object: p.object()},
			Message: "its files at revision " + p.failed.revision + " are in another directory than today",
		})
		return false
	}
	p.rendering.Files, p.isRolledBack = files, true
	p.rendering.RolledBack = layout.WithRolledBack(p.rendering.RolledBack, p.failed.undone)
	p.state, p.reason = report.Placed, rolledBackReason(&p.failed.undone)
	w.renewRecord(p)
	w.add(w.rolledBack(p, &p.failed.undone))
	return true
}

// asRendered converts stored files of a placement to rendered files. It returns false if a file is
// outside the placement's directory.
func (w *wanted) asRendered(p *placement, stored []tree.File) ([]layout.File, bool) {
	joined, isJoined := layout.JoinedFile(w.Destination)
	files := make([]layout.File, 0, len(stored))
	for _, file := range stored {
		below := file.Path
		if isJoined {
			file.Path = joined
		} else if !p.rendering.Dir.IsRoot() {
			var within bool
			if below, within = file.Path.RelativeTo(p.rendering.Dir); !within {
				return nil, false
			}
		}
		files = append(files, layout.File{File: file, Workload: below.String()})
	}
	return files, true
}

func (w *wanted) renewRecord(p *placement) {
	record, err := layout.NewRecord(w.Destination, p.WorkPlacement, p.rendering)
	if err == nil { // if err is not nil, the placement is held back already
		p.record = record
	}
}

func (w *wanted) rolledBack(p *placement, undone *layout.RolledBack) finding.Finding {
	return finding.Finding{
		Rule: finding.RolledBack(), Place: finding.Place{Object: p.object()},
		Message: "on " + w.Name + ": " + rolledBackReason(undone),
		Fix: "Correct what the message names in the pipeline's output, or try the same files again: annotate the Work with " +
			scheduler.RetryAnnotation + ": " + undone.Revision + ".",
	}
}

func rolledBackReason(undone *layout.RolledBack) string {
	return "it was rolled back, because " + couldNotBeApplied(undone)
}

func couldNotBeApplied(undone *layout.RolledBack) string {
	return "revision " + undone.Revision + " could not be applied: " + undone.Message
}

// undone returns the entry of the placement's record about files that were rolled back, or nil
// without such an entry.
func (p *placement) undone(files string) *layout.RolledBack {
	for i := range p.rendering.RolledBack {
		if one := &p.rendering.RolledBack[i]; one.Files == files {
			return one
		}
	}
	return nil
}

// isRetried reports whether the Work requests that rolled-back files are written again.
func (p *placement) isRetried(undone *layout.RolledBack) bool {
	return p.from != nil && p.from.Work.Annotations[scheduler.RetryAnnotation] == undone.Revision
}
