package reconcile

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

// wanted is what the plan makes of a Destination: its placements with their files, and
// the records to be removed. render makes it; nothing of it depends on the contents of
// the store.
type wanted struct {
	situation
	// fixtures are the files that every Destination has, wanted where they are not there
	// yet; retired are those of another layout, which go. Neither changes where
	// restExcluded says that the server refuses such a change.
	fixtures, retired []tree.File
	restExcluded      bool
	placements        []*placement
	// removed are the records of placements that go.
	removed  []recordView
	findings []finding.Finding
	// renderings are those of the placements of the plan.
	renderings renderings
	// recordAt finds records by the paths where they belong.
	recordAt map[tree.Path]*recordView
}

// renderings are the files of placements, by everything that these depend on.
type renderings map[renderKey]rendered

// render returns what the plan makes of a Destination. It takes the renderings of the
// last round that still hold, and large files from those unpacked before.
func render(now situation, before renderings, unpacked *contents) *wanted {
	w := &wanted{situation: now, renderings: renderings{}}
	if len(now.guests) > 0 {
		view := *now.destinationView
		view.records = slices.Concat(view.records, view.guests)
		w.destinationView = &view
	}
	w.indexRecords()
	fixtures, _ := layout.Fixtures(w.Destination) // without roots it were left out before
	switch {
	case w.goesWithItsFiles():
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

// place renders what the scheduler has decided.
func (w *wanted) place(before renderings, unpacked *contents) {
	for i := range w.part.placements {
		from := &w.part.placements[i]
		key := renderKeyOf(from, w.policy.Owner)
		made, known := before[key]
		if !known {
			made = w.situation.render(from)
			unpacked.share(made.rendering.Files)
		}
		w.renderings[key] = made
		w.placements = append(w.placements, w.placement(from, made))
	}
	w.separateRecords()
	for _, kept := range w.part.kept {
		w.keep(kept, "its Work cannot be read now")
	}
	for _, old := range w.part.awaiting {
		w.keep(old, "it stays until its successor is recorded")
	}
}

// placement returns a placement of the plan with its files. One that cannot be rendered
// whole is held back.
func (w *wanted) placement(from *scheduler.Placement, made rendered) *placement {
	p := &placement{
		WorkPlacement: from.WorkPlacement, from: from, rendering: made.rendering, record: made.record,
		decision: decision{state: report.Placed, reason: from.Reason},
	}
	w.add(made.warnings...)
	if len(made.findings) > 0 {
		p.state, p.reason = report.Held, "a file of it cannot be written"
		w.add(made.findings...)
	}
	w.exclude(p)
	return p
}

// add adds findings.
func (w *wanted) add(findings ...finding.Finding) { w.findings = append(w.findings, findings...) }

// keep leaves a placement as it is, whatever it is.
func (w *wanted) keep(p *kratix.WorkPlacement, reason string) {
	w.placements = append(w.placements, keep(w.Destination, p, reason))
}

// keepAll leaves everything on a Destination as it is.
func (w *wanted) keepAll() {
	for _, record := range w.records {
		w.keep(record.Placement, "the Destination is being deleted")
	}
}

// relocate removes the placements that have moved to another Destination. The guard does
// not count them: nothing of their Works is lost.
func (w *wanted) relocate() {
	for _, record := range w.records {
		if to, ok := w.part.moved[record.Placement]; ok {
			record.why = "it is on " + to + " now"
			w.removed = append(w.removed, record)
		}
	}
}

// remove takes the records of placements that are no longer wanted. Those that the
// guard judges stay unless it allows their removal.
func (w *wanted) remove() {
	gone := make(map[*kratix.WorkPlacement]bool, len(w.part.removed)+len(w.part.proven))
	for _, placement := range w.part.removed {
		gone[placement] = w.part.guard.judgement == removalsAllowed
	}
	for _, placement := range w.part.proven {
		gone[placement] = true
	}
	for _, record := range w.records {
		removed, judged := gone[record.Placement]
		switch {
		case removed:
			w.removed = append(w.removed, record)
		case judged:
			w.keep(record.Placement, string(w.part.guard.judgement))
		}
	}
}

// separateRecords holds back placements whose record would lie where another's
// does: in filepath mode none the path is Kratix's, which is the same for Work b-c
// in namespace a and Work c in namespace a-b. The recorded one stays, else the
// older one.
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

// precedes reports whether a placement keeps a path that another claims too.
func (w *wanted) precedes(p, other *placement) bool {
	if recorded := w.recordOf(p) != nil; recorded || w.recordOf(other) != nil {
		return recorded
	}
	a, b := p.rank(), other.rank()
	return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Name, b.Name)) < 0
}

// indexRecords makes the records of the Destination be found by their paths.
func (w *wanted) indexRecords() {
	w.recordAt = make(map[tree.Path]*recordView, len(w.records))
	for i := range w.records {
		w.recordAt[w.records[i].path] = &w.records[i]
	}
}

// recordOf returns the record of a placement; nil if the store has none.
func (w *wanted) recordOf(p *placement) *recordView {
	record := w.recordAt[p.record.Path]
	if record == nil || groupOf(record.Placement) != groupOf(p.WorkPlacement) {
		return nil
	}
	return record
}
