package reconcile

import (
	"cmp"
	"context"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/finding"
	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
	"github.com/kratix-schedule/kratix-schedule/layout"
	"github.com/kratix-schedule/kratix-schedule/report"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/tree"
)

// desired is what a store should hold after the round.
type desired struct {
	*storeView
	outcomes []*outcome
	// failed is why nothing can be written now.
	failed error
}

// desire finds out what a store should hold.
func (r *Reconciler) desire(ctx context.Context, store *storeView, plan planned) *desired {
	d := &desired{storeView: store, failed: store.err}
	for _, view := range store.destinations {
		o, err := r.memo.outcome(ctx, situation{store: store, destinationView: view, part: plan[view.Name], policy: r.Policy})
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
	// mixedUp tells that a joined file is not as its records say.
	mixedUp bool
}

// desiredPlacement is one placement on its way through the round.
type desiredPlacement struct {
	*kratix.WorkPlacement
	// from is the plan's; nil for a placement that is kept as it is.
	from      *scheduler.Placement
	rendering layout.Rendering
	record    tree.File
	// repeated is nil for a placement that is not the plan's.
	repeated *repeated
	// stored is what the placement has in the store; known once it is claimed.
	stored []dedupe.File
	// leaving is the record of a placement that nobody wants any more; it is
	// looked at once more because others share objects with it.
	leaving *recordView
	state   report.State
	reason  string
	// clashes tells that it is held back because of what else is there.
	clashes bool
}

// writable tells whether the placement's files are to be written.
func (p *desiredPlacement) writable() bool { return p.state == report.Placed }

// desire renders everything that the plan puts on a Destination.
func desire(now situation, memo *memo, before map[renderKey]rendered) *desiredDestination {
	dest := &desiredDestination{situation: now, read: &memo.read, memory: memo.cluster(&now), unpacked: &memo.contents, renderedBefore: before}
	fixtures, _ := layout.Fixtures(dest.Destination) // without roots it were left out before
	switch {
	case dest.goesWithItsFiles():
		dest.retired, dest.removed = fixtures, slices.Clone(dest.records)
	case dest.IsDeleted():
		dest.keepAll()
	default:
		dest.fixtures = fixtures
		dest.plan()
		dest.remove()
		dest.relocate(dest.part.moved)
	}
	return dest
}

// plan takes over what the scheduler has decided.
func (dest *desiredDestination) plan() {
	for i := range dest.part.placements {
		dest.placements = append(dest.placements, dest.render(&dest.part.placements[i]))
	}
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

// render gives a placement its files. One that cannot be rendered whole is held
// back.
func (dest *desiredDestination) render(from *scheduler.Placement) *desiredPlacement {
	p := &desiredPlacement{WorkPlacement: from.WorkPlacement, from: from, state: report.Placed, reason: from.Reason}
	key := renderKeyOf(from, dest.policy.Owner)
	made, known := dest.renderedBefore[key]
	if !known {
		made = render(dest.Destination, from, dest.policy.Owner)
		dest.unpacked.share(made.rendering.Files)
	}
	if dest.rendered == nil {
		dest.rendered = map[renderKey]rendered{}
	}
	dest.rendered[key] = made
	p.rendering, p.record, p.repeated = made.rendering, made.record, made.repeated
	if len(made.findings) > 0 {
		p.state, p.reason = report.Held, "a file of it cannot be written"
		dest.findings = append(dest.findings, made.findings...)
	}
	return p
}

func render(d *kratix.Destination, from *scheduler.Placement, owner string) rendered {
	rendering, findings := layout.Render(d, from.WorkPlacement)
	rendering.Owner = owner
	record, err := layout.NewRecord(d, from.WorkPlacement, rendering)
	if err != nil {
		findings = append(findings, finding.Finding{Rule: finding.UnsafePath(), Place: finding.Place{Object: kratix.Describe(from.Work)}, Message: err.Error()})
	}
	return rendered{rendering: rendering, record: record, findings: findings, repeated: &repeated{}}
}

// keep leaves a placement as it is, whatever it is.
func keep(view *destinationView, placement *kratix.WorkPlacement, reason string) *desiredPlacement {
	p := &desiredPlacement{WorkPlacement: placement, state: report.Kept, reason: reason}
	p.rendering, _ = layout.Render(view.Destination, placement) // a record has no contents that could fail
	p.record, _ = layout.NewRecord(view.Destination, placement, p.rendering)
	return p
}

// remove takes the records of placements that are no longer wanted, unless
// they are suspiciously many.
func (dest *desiredDestination) remove() {
	gone := make(map[*kratix.WorkPlacement]bool, len(dest.part.removed))
	for _, placement := range dest.part.removed {
		gone[placement] = true
	}
	for _, record := range dest.records {
		if gone[record.Placement] {
			dest.removed = append(dest.removed, record)
		}
	}
	if dest.policy.allows(len(dest.removed), len(dest.records)) {
		return
	}
	dest.findings = append(dest.findings, deletionsRefused(dest))
	for _, record := range dest.removed {
		dest.placements = append(dest.placements, keep(dest.destinationView, record.Placement, "too many would be removed at once"))
	}
	dest.removed = nil
}
