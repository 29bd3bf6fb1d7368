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
// files. A placement whose files were rolled back before is held back.
func (w *wanted) rollBack(p *placement) {
	if at := slices.IndexFunc(w.failed, func(f *failedFiles) bool { return f.unit == unitOf(p.WorkPlacement) }); at >= 0 {
		p.failed = w.failed[at]
		if w.policy.RollBack && w.restore(p) {
			return
		}
	}
	if len(p.rendering.RolledBack) == 0 {
		if p.rendering.Rollout != nil {
			w.renewRecord(p)
		}
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
// it does not change them.
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
	p.rendering.Files, p.because = files, &p.failed.undone
	if mark := p.rendering.Rollout; mark != nil {
		p.failed.undone.Content = mark.Content
		p.rendering.Rollout = mark.Before(mark.Since)
	}
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
	if err == nil { // otherwise the placement is held back already
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
	return "it was rolled back, because " + whyUndone(undone)
}

func whyUndone(undone *layout.RolledBack) string {
	if undone.Rollout != "" {
		return "Rollout " + undone.Rollout + " was given up: " + undone.Message
	}
	return couldNotBeApplied(undone)
}

// undone returns the entry about rolled-back files with this digest, or nil.
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
