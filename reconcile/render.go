package reconcile

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// renderKey is everything that a rendering on a Destination depends on.
type renderKey struct {
	work      *kratix.Work
	group     string
	name      string
	misplaced bool
	movedFrom string
	owner     string
}

// rendered is what a placement looks like, and what is wrong with it.
type rendered struct {
	rendering layout.Rendering
	record    tree.File
	findings  []finding.Finding
	// warnings are reported and hold nothing back.
	warnings []finding.Finding
}

// renderKeyOf returns what a placement's files and record depend on.
func renderKeyOf(p *scheduler.Placement, owner string) renderKey {
	return renderKey{
		work: p.Work, group: p.Spec.ID, name: p.Name,
		misplaced: p.Misplaced, movedFrom: p.Labels[kratix.MovedFromLabel], owner: owner,
	}
}

// relocate takes the placements whose place others have taken. The guard does
// not count them: nothing of their Works is lost.
func (dest *desiredDestination) relocate(moved map[*kratix.WorkPlacement]string) {
	for _, record := range dest.records {
		if to, ok := moved[record.Placement]; ok {
			record.why = "it is on " + to + " now"
			dest.removed = append(dest.removed, record)
		}
	}
}

// remove takes the records of placements that are no longer wanted. Those that the
// guard judges stay unless it allows their removal.
func (dest *desiredDestination) remove() {
	gone := make(map[*kratix.WorkPlacement]bool, len(dest.part.removed)+len(dest.part.proven))
	for _, placement := range dest.part.removed {
		gone[placement] = dest.part.guard.judgement == removalsAllowed
	}
	for _, placement := range dest.part.proven {
		gone[placement] = true
	}
	for _, record := range dest.records {
		removed, judged := gone[record.Placement]
		switch {
		case removed:
			dest.removed = append(dest.removed, record)
		case judged:
			dest.placements = append(dest.placements, keep(dest.destinationView, record.Placement, string(dest.part.guard.judgement)))
		}
	}
}

// separateRecords holds back placements whose record would lie where another's
// does: in filepath mode none the path is Kratix's, which is the same for Work b-c
// in namespace a and Work c in namespace a-b. The recorded one stays, else the
// older one.
func (dest *desiredDestination) separateRecords() {
	first := make(map[tree.Path]*desiredPlacement, len(dest.placements))
	for _, p := range dest.placements {
		other := first[p.record.Path]
		if other == nil {
			first[p.record.Path] = p
			continue
		}
		if dest.precedes(p, other) {
			first[p.record.Path], p, other = p, other, p
		}
		p.hold("its record would lie where that of " + other.object() + " does")
		dest.findings = append(dest.findings, finding.Finding{
			Rule: finding.PathTaken(), Place: finding.Place{Object: p.object()},
			Message: fmt.Sprintf("its record %s would be that of %s too", p.record.Path, other.object()),
			Fix:     "Rename one of the two Works or its namespace: in filepath mode none Kratix keeps both at one path.",
		})
	}
}

// precedes reports whether a placement keeps a path that another wants too.
func (dest *desiredDestination) precedes(p, other *desiredPlacement) bool {
	if recorded := dest.recordOf(p) != nil; recorded || dest.recordOf(other) != nil {
		return recorded
	}
	a, b := p.claim().Rank, other.claim().Rank
	return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Name, b.Name)) < 0
}

// desiredDestination is what a Destination's directory should hold.
type desiredDestination struct {
	situation
	findings []finding.Finding
	changes  statestore.ChangeSet
	// units are what the changes are about.
	units []unitChange
	// read remembers files that were read before, memory the roots.
	read   *kustomize.Cache
	memory *dedupe.Memory
	// unpacked has what files were unpacked to.
	unpacked *contents
	// rendered is what the placements look like, renderedBefore what those of the
	// last round did, where that is remembered.
	rendered, renderedBefore map[renderKey]rendered
	// fixtures are wanted where they are not there yet; what is there of
	// retired is not wanted any more.
	fixtures, retired []tree.File
	placements        []*desiredPlacement
	removed           []recordView
	// leftovers are what an interrupted write has left there; what nobody wants
	// of it goes.
	leftovers []tree.Path
	// notFetched is what Flux leaves out of what the rest was settled with.
	notFetched *kustomize.Ignored
	// recordAt finds records by the paths where they belong, and listings counts
	// the records that list a file; both are made when first needed.
	recordAt map[tree.Path]*recordView
	listings map[tree.Path]int
	// left reports whether everything is left as it is.
	left bool
	// unfolded means that a file of nobody's has a path with capitals or the like.
	unfolded bool
	// mixedUp means that a joined file is not as its records say.
	mixedUp bool
	// joinedParts are the parts of a joined file, by the paths of their records.
	joinedParts map[tree.Path][]byte
	// waits are the WorkPlacements that wait for what others write.
	waits []string
}

// desiredPlacement is one placement on its way through the round.
type desiredPlacement struct {
	*kratix.WorkPlacement
	// from is the plan's; nil for a placement that is kept as it is.
	from      *scheduler.Placement
	rendering layout.Rendering
	record    tree.File
	// stored is what the placement has in the store; known once it is claimed.
	stored []dedupe.File
	// leaving is the record of a placement that nobody wants any more; it is
	// looked at once more because others share objects with it.
	leaving *recordView
	state   report.State
	reason  string
	// clashes means that it is held back because of what else is there.
	clashes bool
}

// writable reports whether the placement's files are to be written.
func (p *desiredPlacement) writable() bool { return p.state == report.Placed }

// desire renders everything that the plan puts on a Destination.
func desire(now situation, memo *memo, before map[renderKey]rendered) *desiredDestination {
	dest := &desiredDestination{situation: now, read: &memo.read, memory: memo.cluster(&now), unpacked: &memo.contents, renderedBefore: before}
	if len(now.guests) > 0 {
		view := *now.destinationView
		view.records = slices.Concat(view.records, view.guests)
		dest.destinationView = &view
	}
	fixtures, _ := layout.Fixtures(dest.Destination) // without roots it were left out before
	switch {
	case dest.goesWithItsFiles():
		dest.retired, dest.removed = fixtures, slices.Clone(dest.records)
		dest.excludeRemovals()
	case dest.IsDeleted():
		dest.keepAll()
	default:
		dest.fixtures = fixtures
		if dest.relayout {
			dest.retired = dest.formerFixtures()
		}
		dest.plan()
		dest.remove()
		dest.relocate(dest.part.moved)
		dest.excludeRemovals()
	}
	return dest
}

// plan takes over what the scheduler has decided.
func (dest *desiredDestination) plan() {
	for i := range dest.part.placements {
		dest.placements = append(dest.placements, dest.render(&dest.part.placements[i]))
	}
	dest.separateRecords()
	for _, kept := range dest.part.kept {
		dest.placements = append(dest.placements, keep(dest.destinationView, kept, "its Work cannot be read now"))
	}
	for _, old := range dest.part.awaiting {
		dest.placements = append(dest.placements, keep(dest.destinationView, old, "it stays until its successor is recorded"))
	}
}

// keepAll leaves everything on a Destination as it is.
func (dest *desiredDestination) keepAll() {
	for _, record := range dest.records {
		dest.placements = append(dest.placements, keep(dest.destinationView, record.Placement, "the Destination is being deleted"))
	}
}

// render returns a placement its files. One that cannot be rendered whole is held
// back.
func (dest *desiredDestination) render(from *scheduler.Placement) *desiredPlacement {
	p := &desiredPlacement{WorkPlacement: from.WorkPlacement, from: from, state: report.Placed, reason: from.Reason}
	key := renderKeyOf(from, dest.policy.Owner)
	made, known := dest.renderedBefore[key]
	if !known {
		made = dest.situation.render(from)
		dest.unpacked.share(made.rendering.Files)
	}
	if dest.rendered == nil {
		dest.rendered = map[renderKey]rendered{}
	}
	dest.rendered[key] = made
	p.rendering, p.record = made.rendering, made.record
	dest.findings = append(dest.findings, made.warnings...)
	if len(made.findings) > 0 {
		p.state, p.reason = report.Held, "a file of it cannot be written"
		dest.findings = append(dest.findings, made.findings...)
	}
	dest.exclude(p)
	return p
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

// keep leaves a placement as it is, whatever it is.
func keep(view *destinationView, placement *kratix.WorkPlacement, reason string) *desiredPlacement {
	p := &desiredPlacement{WorkPlacement: placement, state: report.Kept, reason: reason}
	p.rendering, _ = layout.Render(view.Destination, placement) // a record has no contents that could fail
	p.record, _ = layout.NewRecord(view.Destination, placement, p.rendering)
	return p
}
