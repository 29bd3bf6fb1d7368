package reconcile

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// outcome is what a round comes to on one Destination.
type outcome struct {
	findings []finding.Finding
	// changes are those of the Destination's files alone.
	changes statestore.ChangeSet
	// units are what the changes are about.
	units   []unitChange
	changed report.Destination
	// told are the placements to report once the changes are written, sorted as in a report.
	told []report.Placement
	// clashing are new placements that are held back because of a clash.
	clashing []choice
	// waits are the WorkPlacements that wait for what others write.
	waits []string
	// emptied reports whether the Destination goes with its files, and has nothing more
	// but placements that are reported.
	emptied bool
}

// situation is everything that the outcome on a Destination depends on.
type situation struct {
	store *storeView
	*destinationView
	part   part
	policy Policy
	// excluded are the units that are not written now.
	excluded map[unit]exclusion
	// hidden reports whether there may be placements that the plan does not have: Works
	// cannot be read. It is of interest where files say nothing of whose they are.
	hidden bool
}

// same reports whether two situations have one outcome.
func (s *situation) same(other *situation) bool {
	return s.Destination == other.Destination && s.store.Store == other.store.Store && s.store.ref == other.store.ref &&
		s.store.state.Files.Same(other.store.state.Files, s.base) && s.sameAbove(other) && s.sameWay(other) && s.sameOutgoing(other) && s.store.limits == other.store.limits &&
		slices.Equal(s.unfinished(), other.unfinished()) && s.part.same(other.part) && slices.Equal(s.assumed, other.assumed) &&
		s.policy.settlesAs(other.policy) && maps.Equal(s.excluded, other.excluded) && s.hidden == other.hidden
}

// sameAbove reports whether the directories above say the same about what Flux does
// not fetch.
func (s *situation) sameAbove(other *situation) bool {
	for file := range kustomize.IgnoreFilesAbove(s.base) {
		was, had := other.store.state.Files.Sum(file)
		if is, has := s.store.state.Files.Sum(file); has != had || is != was {
			return false
		}
	}
	return true
}

// outcome finds out what a Destination should be like. The error is the
// store's.
func (m *memo) outcome(ctx context.Context, now situation) (*outcome, error) {
	known, ok := m.outcomes.get(now.Destination)
	if ok && known.situation.same(&now) {
		m.keep(&now)
		return known.outcome, nil
	}
	if ok && known.staysCalm(&now) {
		if made, ok := known.carry(now); ok {
			m.carried++
			return m.outcomes.put(now.Destination, made).outcome, nil
		}
		if made, ok := known.advance(ctx, now, m); ok {
			m.advanced++
			return m.outcomes.put(now.Destination, made).outcome, nil
		}
	}
	if ok && known.situation.store.limits != now.store.limits {
		known.rendered = nil // what is wrong with it may be something else
	}
	dest := desire(now, m, known.rendered)
	if err := dest.settle(ctx); err != nil {
		return dest.outcome(), err
	}
	dest.diff()
	made := settled{situation: now.kept(), outcome: dest.outcome(), rendered: dest.rendered}
	if made.calm = dest.calm(made.outcome); made.calm != nil {
		made.rendered = nil // a digest is enough, and contents are large
		m.clusters.drop(clusterKey{now.store.ref, now.Name})
	}
	return m.outcomes.put(now.Destination, made).outcome, nil
}

// settled is an outcome and what it came from.
type settled struct {
	situation situation
	outcome   *outcome
	// calm is what advance needs; nil when that is not possible.
	calm *calm
	// rendered is what the placements look like, unless the Destination is calm.
	rendered map[renderKey]rendered
}

// kept returns a situation without the contents of its store, which would be held
// for as long as nothing changes on the Destination.
func (s situation) kept() situation {
	view := *s.store
	view.state.Contents, view.destinations = nil, nil
	s.store = &view
	return s
}

// outcome returns what there is to say of a Destination.
func (dest *desiredDestination) outcome() *outcome {
	o := &outcome{findings: dest.findings, changes: dest.changes, units: dest.units, changed: dest.changed(), waits: dest.waits}
	for _, p := range dest.placements {
		if p.from != nil && p.from.Misplaced {
			at := finding.Place{Object: kratix.Describe(p.from.Work)}
			o.findings = append(o.findings, finding.Finding{Rule: finding.Misplaced(), Place: at, Message: "on " + dest.Name + ": " + p.from.Reason})
		}
		if p.clashes && p.from != nil && p.from.New && !p.from.Work.IsDependency() {
			o.clashing = append(o.clashing, choice{p.from.Work, p.Spec.ID, dest.Name})
		}
	}
	o.told = dest.tell()
	_, keepsRest := dest.excluded[unit{destination: dest.Name}]
	o.emptied = dest.goesWithItsFiles() && !keepsRest
	return o
}

// unwritten returns the placements if the changes are not written: those that had
// something to write are in another state.
func (o *outcome) unwritten(state report.State) []report.Placement {
	told := slices.Clone(o.told)
	for i := range told {
		switch told[i].State {
		case report.Removed:
			told[i].Reason = "to be removed: " + told[i].Reason
			told[i].State = state
		case report.Placed:
			told[i].State = state
		}
	}
	return told
}

// tell reports each placement, as if all changes were written.
func (dest *desiredDestination) tell() []report.Placement {
	var told []report.Placement
	for _, p := range dest.placements {
		one := report.Placement{Work: p.Work().String(), Destination: dest.Name, State: p.state, Reason: p.reason, Object: dest.own(p.WorkPlacement)}
		if p.from != nil {
			one.Directory, one.Misplaced = p.from.Directory, p.from.Misplaced
		}
		if p.state == report.Held {
			one.Written = dest.holds(p)
		}
		told = append(told, one)
	}
	for _, record := range dest.removed {
		told = append(told, report.Placement{
			Work: record.Placement.Work().String(), Destination: dest.Name, State: report.Removed, Reason: cmp.Or(record.why, "its Work is gone"),
			Object: dest.own(record.Placement),
		})
	}
	slices.SortStableFunc(told, report.ComparePlacements)
	return told
}

// own returns a placement if it is the Destination's; nil for one that is only in
// its directory, whose WorkPlacement says what is on the placement's own Destination.
func (dest *desiredDestination) own(p *kratix.WorkPlacement) *kratix.WorkPlacement {
	if p.Spec.TargetDestinationName != dest.Name {
		return nil
	}
	return p
}

// changed says what becomes of the Destination's files.
func (dest *desiredDestination) changed() report.Destination {
	of := report.Destination{Name: dest.Name, Removed: dest.changes.Remove}
	for _, file := range dest.changes.Write {
		if dest.store.state.Files.Has(file.Path) {
			of.Changed = append(of.Changed, file.Path)
		} else {
			of.Added = append(of.Added, file.Path)
		}
	}
	return of
}

// ignored returns which of a Destination's files Flux does not fetch, after the
// round.
func (dest *desiredDestination) ignored(ctx context.Context) (*kustomize.Ignored, error) {
	var files []tree.File
	read := func(path tree.Path) error {
		content, err := dest.store.state.Contents.Content(ctx, path)
		files = append(files, tree.File{Path: path, Content: content})
		return err
	}
	for path := range kustomize.IgnoreFilesAbove(dest.base) {
		if !dest.store.state.Files.Has(path) {
			continue
		}
		if err := read(path); err != nil {
			return nil, err
		}
	}
	for path := range dest.store.state.Files.Below(dest.base) {
		if !kustomize.IsIgnoreFile(path) {
			continue
		}
		if err := read(path); err != nil {
			return nil, err
		}
	}
	return kustomize.Ignore(files), nil
}
