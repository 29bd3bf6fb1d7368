package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

type observed struct {
	source.Snapshot
	stores  []*storeView
	leftOut []scheduler.Destination
	// misfits are the Destinations in leftOut without a valid layout. vacant are empty Destinations
	// that are being deleted and overlap others.
	misfits, vacant []*kratix.Destination
	// unused are stores that no Destination uses and that were read. unreadable are stores that no
	// Destination uses and that cannot be read.
	unused, unreadable []*storeView
	// unread are placements that count as placed and have no record in a usable directory of their
	// Destination.
	unread []*kratix.WorkPlacement
	// former are the former and inherited placements. copies are those among them that do not count as
	// placed.
	former []*formerPlacement
	copies []*kratix.WorkPlacement
	names  map[string]bool
	works  map[kratix.Key]bool
	// decided are placements with a decision on their Work and no record yet.
	decided  []*kratix.WorkPlacement
	findings []finding.Finding
	lookup   lookup
}

type storeView struct {
	statestore.Store
	ref         kratix.StateStoreReference
	spec        kratix.Object
	lacksSecret bool
	// rejectsSecret means that the state store's Secret exists but cannot be used.
	rejectsSecret bool
	// orphans are the WorkPlacements, sorted, whose Work is gone and that no controller
	// deletes.
	orphans      []kratix.Key
	limits       layout.Limits
	state        statestore.State
	err          error
	destinations []*destinationView
}

type destinationView struct {
	*kratix.Destination
	profile *profile.Profile
	base    tree.Path
	roots   []tree.Path
	records []recordView
	// inherited are records of other Destinations in this Destination's directory.
	inherited []recordView
	owners    []string
	// assumed are the placements with implied records.
	assumed []*kratix.WorkPlacement
	// relayout means that the Destination's files must be rewritten in another layout.
	relayout bool
	// formerMode is the filepath mode of the existing files, or empty if it is the current mode.
	formerMode string
	// legacy are the listed files by the path of the file list. Kratix keeps these lists in mode none.
	legacy map[tree.Path][]tree.Path
	// invalidRecords are files in the record directory that do not parse or are not trusted.
	invalidRecords []tree.Path
	ledgerView
}

type observations struct {
	records    generations[*kratix.Destination, recordsView]
	former     generations[kratix.StateStoreReference, *formerIndex]
	unrecorded generations[*kratix.Destination, unrecordedView]
	fights     fights
	// withoutCopies are the records of all Destinations in the last round, if no group was on several
	// of them.
	withoutCopies [][]recordView
}

func (o *observations) startRound() {
	o.records.rotate()
	o.former.rotate()
	o.unrecorded.rotate()
}

// observe opens and reads the stores that Destinations name, and the other stores in the input.
func observe(ctx context.Context, snapshot source.Snapshot, opener statestore.Opener, policy Policy, seen *observations) *observed {
	w := &observed{Snapshot: snapshot, lookup: newLookup(snapshot)}
	for _, destination := range snapshot.Destinations {
		addDestination(w, destination, opener)
	}
	addUnwritten(w)
	keepOpen(w, opener)
	w.stores = slices.DeleteFunc(w.stores, func(s *storeView) bool { return s.Store == nil && s.spec == nil })
	for _, store := range w.stores {
		store.limits = limitsOf(store, policy)
	}
	ctx = statestore.JointReads(ctx)
	var reads sync.WaitGroup
	for _, store := range w.stores {
		reads.Go(func() { store.read(ctx) })
	}
	reads.Wait()
	separate(w)
	for _, store := range w.stores {
		addState(ctx, w, store, seen)
		excludeForeignOwned(w, store, policy)
		leaveFights(w, store, &seen.fights)
	}
	readUnused(ctx, w, opener, seen)
	restoreDamaged(w)
	addInherited(w, policy)
	checkModes(w)
	addExisting(w)
	countFormer(w)
	if !policy.Unrecorded {
		adoptUnrecorded(w, seen)
	}
	if !w.Assigned { // assigned requests may be on several Destinations
		resolveCopies(w, seen)
	}
	reportOldCopies(w)
	return w
}

// addUnwritten marks the Destinations to which nothing may be written as unread, so that their
// placements stay.
func addUnwritten(o *observed) {
	if o.Assigned {
		return
	}
	for _, d := range o.Unwritten {
		o.leftOut = append(o.leftOut, scheduler.Destination{Destination: d, Store: scheduler.StoreUnread})
	}
}

// keepOpen makes the opener close the stores that this round does not use.
func keepOpen(o *observed, opener statestore.Opener) {
	refs := o.describedStores()
	for _, store := range o.stores {
		refs = append(refs, store.ref)
	}
	statestore.Keep(opener, refs)
}

func addDestination(o *observed, d *kratix.Destination, opener statestore.Opener) {
	roots, err := layout.Roots(d)
	if err != nil {
		o.leaveOut(d, ruleFor(err), err.Error())
		o.misfits = append(o.misfits, d)
		return
	}
	base, err := layout.Base(d)
	if err != nil {
		o.leaveOut(d, finding.UnsafePath(), err.Error())
		o.misfits = append(o.misfits, d)
		return
	}
	view := &destinationView{Destination: d, profile: o.lookup.profiles[d.Name], base: base, roots: roots}
	store := storeFor(o, *d.Spec.StateStoreRef, opener)
	if store.spec == nil {
		o.findings = append(o.findings, finding.Finding{
			Rule: finding.StoreMissing(), Place: o.Origins.Of(d),
			Message: fmt.Sprintf("it names %s, which is not in the input", d.Spec.StateStoreRef),
		})
	}
	if store.Store == nil && store.spec == nil {
		o.leftOut = append(o.leftOut, scheduler.Destination{Destination: d, Store: scheduler.StoreAbsent})
		return
	}
	store.destinations = append(store.destinations, view)
}

func ruleFor(err error) finding.Rule {
	if errors.Is(err, tree.ErrPath) {
		return finding.UnsafePath()
	}
	return finding.Unsupported()
}

// leaveOut excludes a Destination that cannot be written, and adds a finding.
func (o *observed) leaveOut(d *kratix.Destination, rule finding.Rule, why string) {
	o.leftOut = append(o.leftOut, scheduler.Destination{Destination: d, Store: scheduler.StoreUnread})
	o.findings = append(o.findings, finding.Finding{Rule: rule, Place: o.Origins.Of(d), Message: why})
}

func storeFor(o *observed, ref kratix.StateStoreReference, opener statestore.Opener) *storeView {
	if known := o.lookup.stores[ref]; known != nil {
		return known
	}
	view := openStore(o, ref, opener)
	o.stores = append(o.stores, view)
	o.lookup.stores[ref] = view
	return view
}

func openStore(o *observed, ref kratix.StateStoreReference, opener statestore.Opener) *storeView {
	view := &storeView{ref: ref, orphans: o.Orphans}
	var secret *kratix.SecretReference
	view.spec, secret = o.lookup.spec(ref)
	if view.spec != nil {
		if _, _, err := kratix.CommitsPerMinute(view.spec); err != nil {
			at := o.Origins.Of(view.spec)
			at.Object = kratix.Describe(view.spec)
			o.findings = append(o.findings, finding.Finding{Rule: finding.InvalidAnnotation(), Place: at, Message: err.Error()})
		}
	}
	view.lacksSecret = o.lookup.lacks(secret)
	view.rejectsSecret = secret != nil && o.lookup.secret(secret) == nil && !view.lacksSecret
	view.Store, view.err = opener.Open(ref, view.spec, o.lookup.secret(secret))
	return view
}

func (s *storeView) read(ctx context.Context) {
	if s.err == nil {
		s.state, s.err = s.Read(ctx)
	}
}

// addState adds the findings about a store, and reads its records.
func addState(ctx context.Context, o *observed, store *storeView, seen *observations) {
	for _, warning := range store.state.Warnings {
		o.findings = append(o.findings, finding.Finding{Rule: finding.DoubtfulStore(), Place: finding.Place{Object: store.ref.String()}, Message: warning})
	}
	if store.err == nil {
		store.err = cmp.Or(readRecords(ctx, o, store, seen), readFormer(ctx, o, store, seen))
	}
	if store.err != nil {
		failure := Failure(finding.Place{Object: store.ref.String()}, store.err)
		if store.lacksSecret && failure.Cause == finding.Unopened {
			failure.Cause = finding.SecretMissing
		}
		if store.rejectsSecret && failure.Cause == finding.Unopened {
			return // another finding describes the Secret
		}
		o.findings = append(o.findings, failure)
	}
}

func (d *destinationView) isRemovedWithFiles() bool { return d.IsDeleted() && d.CleansUp() }

func limitsOf(store *storeView, policy Policy) layout.Limits {
	return layout.LimitsOf(store.ref.Kind, store.location(tree.Path{}).Dir, policy.AllowNames)
}

func (s *storeView) labels() map[string]string {
	if s.spec == nil {
		return nil
	}
	return s.spec.GetLabels()
}
