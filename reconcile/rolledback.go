package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

// rollBack restores the files of a placement that is to be rolled back. A placement whose files
// were rolled back before is held back.
func (w *wanted) rollBack(p *placement) {
	if record := w.recordOf(p); record != nil {
		p.rendering.RolledBack = record.RolledBack
	}
	var before *layout.RolledBack
	if len(p.rendering.RolledBack) > 0 {
		before = p.undone(contentDigest(p.asStored()))
	}
	at := slices.IndexFunc(w.rollbacks, func(r *rollback) bool { return r.unit == unitOf(p.WorkPlacement) })
	switch {
	case at >= 0:
		w.restore(p, w.rollbacks[at])
	case before != nil && !p.isRetried(before):
		p.state, p.reason = report.HeldBack, rolledBackReason(before)
		w.add(w.rolledBack(p, before))
	case len(p.rendering.RolledBack) > 0:
		w.renewRecord(p)
	}
}

// restore sets the files of a placement to those that its agent has applied last, unless the files
// to be undone were undone before.
func (w *wanted) restore(p *placement, back *rollback) {
	if before := p.undone(back.undone.Files); before != nil && !p.isRetried(before) {
		return
	}
	joined, isJoined := layout.JoinedFile(w.Destination)
	files := make([]layout.File, 0, len(back.files))
	for _, file := range back.files {
		if isJoined {
			file.Path = joined
		}
		below, within := file.Path.RelativeTo(p.rendering.Dir)
		switch {
		case !within && !p.rendering.Dir.IsRoot():
			w.add(finding.Finding{
				Rule: finding.NotRolledBack(), Place: finding.Place{Object: p.object()},
				Message: "its files at revision " + back.applied + " are in another directory than today",
			})
			return
		case !within:
			below = file.Path
		}
		files = append(files, layout.File{File: file, Workload: below.String()})
	}
	p.rendering.Files = files
	p.rendering.RolledBack = layout.WithRolledBack(p.rendering.RolledBack, back.undone)
	p.state, p.reason, p.rolledBack = report.Placed, rolledBackReason(&back.undone), back
	w.renewRecord(p)
	w.add(w.rolledBack(p, &back.undone))
}

// renewRecord renders the record of a placement again.
func (w *wanted) renewRecord(p *placement) {
	record, err := layout.NewRecord(w.Destination, p.WorkPlacement, p.rendering)
	if err == nil { // otherwise it is held back already
		p.record = record
	}
}

// rolledBack returns the finding about a placement that was or will be rolled back.
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

// undone returns the entry of the placement's record about files that were rolled back; nil if there
// is none.
func (p *placement) undone(files string) *layout.RolledBack {
	for i := range p.rendering.RolledBack {
		if one := &p.rendering.RolledBack[i]; one.Files == files {
			return one
		}
	}
	return nil
}

// isRetried reports whether the Work asks for files again that were rolled back.
func (p *placement) isRetried(undone *layout.RolledBack) bool {
	var work *kratix.Work
	if p.from != nil {
		work = p.from.Work
	}
	return work != nil && work.Annotations[scheduler.RetryAnnotation] == undone.Revision
}
