package reconcile

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/parallel"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

// wanted is the desired content of a Destination.
type wanted struct {
	situation
	// fixtures are the files that every Destination has. retired are fixtures to be removed.
	// restExcluded means that none of them changes in this round.
	fixtures, retired []tree.File
	restExcluded      bool
	placements        []*placement
	removed           []recordView
	findings          []finding.Finding
	renderings        renderings
	recordAt          map[tree.Path]*recordView
}

type renderings map[renderKey]rendered

// render returns the desired content of a Destination. before are renderings that can be reused.
func render(now situation, before renderings, unpacked *contents) *wanted {
	w := &wanted{situation: now, renderings: renderings{}}
	if len(now.inherited) > 0 {
		view := *now.destinationView
		view.records = slices.Concat(view.records, view.inherited)
		w.destinationView = &view
	}
	w.indexRecords()
	fixtures, _ := layout.Fixtures(w.Destination) // an error would have excluded the Destination before
	switch {
	case w.isRemovedWithFiles():
		w.retired, w.removed = fixtures, slices.Clone(w.records)
		w.excludeRemovals()
	case w.IsDeleted():
		w.keepAll()
	default:
		w.fixtures = fixtures
		if w.relayout {
			w.retired = formerFixtures(w)
		}
		w.place(before, unpacked)
		w.remove()
		w.relocate()
		w.excludeRemovals()
	}
	w.excludeRest()
	return w
}

func (w *wanted) place(before renderings, unpacked *contents) {
	renderings := make([]rendered, len(w.plan.placements))
	parallel.Each(len(renderings), func(i int) {
		from, known := &w.plan.placements[i], false
		if renderings[i], known = before[renderKeyOf(from, w.policy.Owner)]; !known {
			renderings[i] = w.situation.render(from)
		}
	})
	for i, made := range renderings {
		from := &w.plan.placements[i]
		key := renderKeyOf(from, w.policy.Owner)
		if _, known := before[key]; !known {
			unpacked.intern(made.rendering.Files)
		}
		w.renderings[key] = made
		w.placements = append(w.placements, w.placement(from, made))
	}
	w.separateRecords()
	for _, kept := range w.plan.kept {
		w.keep(kept, "its Work cannot be read now")
	}
	for _, p := range w.plan.waiting {
		if p.stored != nil {
			w.keep(p.stored, p.reason)
		}
	}
	for _, old := range w.plan.awaiting {
		w.keep(old, "it stays until its successor is recorded")
	}
}

// placement returns a placement of the plan with its files.
func (w *wanted) placement(from *scheduler.Placement, made rendered) *placement {
	p := &placement{
		WorkPlacement: from.WorkPlacement, from: from, rendering: made.rendering, record: made.record,
		decision: decision{state: report.Placed, reason: from.Reason},
	}
	w.add(made.warnings...)
	if len(made.findings) > 0 {
		p.state, p.reason = report.HeldBack, "a file of it cannot be written"
		w.add(made.findings...)
	}
	if !w.rollOut(p) {
		w.rollBack(p)
	}
	w.exclude(p)
	return p
}

func (w *wanted) add(findings ...finding.Finding) { w.findings = append(w.findings, findings...) }

func (w *wanted) keep(p *kratix.WorkPlacement, reason string) {
	w.placements = append(w.placements, keep(w.Destination, p, reason))
}

func (w *wanted) keepAll() {
	for _, record := range w.records {
		w.keep(record.Placement, "the Destination is being deleted")
	}
}

// relocate removes placements that have moved to another Destination. The deletion guard does not
// count them.
func (w *wanted) relocate() {
	for _, record := range w.records {
		if to, ok := w.plan.moved[record.Placement]; ok {
			record.why = "it is on " + to + " now"
			w.removed = append(w.removed, record)
		}
	}
}

// remove removes placements that are no longer wanted. It keeps those whose removal the deletion
// guard does not allow.
func (w *wanted) remove() {
	gone := make(map[*kratix.WorkPlacement]bool, len(w.plan.removed)+len(w.plan.proven))
	for _, placement := range w.plan.removed {
		gone[placement] = w.plan.guard.judgement == removalsAllowed
	}
	for _, placement := range w.plan.proven {
		gone[placement] = true
	}
	for _, record := range w.records {
		removed, judged := gone[record.Placement]
		switch {
		case removed:
			w.removed = append(w.removed, record)
		case judged:
			w.keep(record.Placement, string(w.plan.guard.judgement))
		}
	}
}

// separateRecords quarantines placements with the same record path as another placement. In
// filepath mode none, Work b-c in namespace a and Work c in namespace a-b have the same path.
func (w *wanted) separateRecords() {
	first := make(map[tree.Path]*placement, len(w.placements))
	for _, p := range w.placements {
		other := first[p.record.Path]
		if other == nil {
			first[p.record.Path] = p
			continue
		}
		if w.precedes(p, other) {
			first[p.record.Path], p, other = p, other, p
		}
		p.quarantine("its record would lie where that of " + other.object() + " does")
		w.add(finding.Finding{
			Rule: finding.PathTaken(), Place: finding.Place{Object: p.object()},
			Message: fmt.Sprintf("its record %s would be that of %s too", p.record.Path, other.object()),
			Fix:     "Rename one of the two Works or its namespace: in filepath mode none Kratix keeps both at one path.",
		})
	}
}

// precedes reports whether p keeps a path that other also claims.
func (w *wanted) precedes(p, other *placement) bool {
	if recorded := w.recordOf(p) != nil; recorded || w.recordOf(other) != nil {
		return recorded
	}
	a, b := p.rank(), other.rank()
	return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Name, b.Name)) < 0
}

func (w *wanted) indexRecords() {
	w.recordAt = make(map[tree.Path]*recordView, len(w.records))
	for i := range w.records {
		w.recordAt[w.records[i].path] = &w.records[i]
	}
}

func (w *wanted) recordOf(p *placement) *recordView {
	record := w.recordAt[p.record.Path]
	if record == nil || groupOf(record.Placement) != groupOf(p.WorkPlacement) {
		return nil
	}
	return record
}
