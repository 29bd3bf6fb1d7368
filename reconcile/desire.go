package reconcile

import (
	"cmp"
	"context"
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

// desired is what a store should hold after the round.
type desired struct {
	*storeView
	outcomes []*outcome
	// failed is why nothing can be written now.
	failed error
}

// planning is what a plan puts on each Destination.
type planning struct {
	parts planned
	// hidden reports whether there may be placements that the plan does not have.
	hidden bool
	// chosen has, by Destination, what is reported of placements that are fresh: they
	// are not written before their Works say where they go.
	chosen map[string]*outcome
	fresh  map[*kratix.WorkPlacement]*kratix.Work
}

// desire finds out what a store should hold, if some of it is excluded.
func (r *Reconciler) desire(ctx context.Context, store *storeView, plan *planning, excluded exclusions) *desired {
	d := &desired{storeView: store, failed: store.err}
	for _, view := range store.destinations {
		o, err := r.memo.outcome(ctx, situation{
			store: store, destinationView: view, part: plan.parts[view.Name], policy: r.Policy, excluded: excluded[view.Name],
			hidden: plan.hidden && view.FilepathMode() == kratix.AggregatedYAML,
		})
		if chosen := plan.chosen[view.Name]; chosen != nil {
			o = o.withChoices(chosen, plan.fresh)
		}
		d.outcomes = append(d.outcomes, o)
		d.failed = cmp.Or(d.failed, err)
	}
	return d
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
