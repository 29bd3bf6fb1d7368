package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// observed is all that a round knows.
type observed struct {
	source.Snapshot
	stores []*storeView
	// leftOut are Destinations that nothing can be written to.
	leftOut []scheduler.Destination
	// misfits are those of them that have no layout, and vacant are Destinations that are
	// being deleted, have nothing, and were in the way of others.
	misfits, vacant []*kratix.Destination
	// unused are stores in the input that no Destination is on; unreadable are those
	// that cannot be read.
	unused, unreadable []*storeView
	// unread are placements that no Destination's own records name: the source
	// remembers them where no record can be read, or they are recorded where their
	// Destination was.
	unread []*kratix.WorkPlacement
	// former are all that are recorded where their Destinations are not, copies
	// those of them that do not count.
	former []*formerPlacement
	copies []*kratix.WorkPlacement
	// names are those of all Destinations; made when first needed.
	names map[string]bool
	// works are the keys of all Works that are known; made when first needed.
	works map[kratix.Key]bool
	// decided are placements that only their Works know of yet.
	decided  []*kratix.WorkPlacement
	findings []finding.Finding
	lookup   lookup
}

// storeView is one store, what it holds, and the Destinations on it.
type storeView struct {
	statestore.Store
	ref kratix.StateStoreReference
	// spec describes the store; nil when the input does not.
	spec kratix.Object
	// lacksSecret means that the Secret it names is not there.
	lacksSecret bool
	// rejectsSecret reports whether the Secret it names is there, and a finding says
	// why it cannot be used.
	rejectsSecret bool
	// leaving reports whether a placement leaves the directory of another Destination
	// with the very commit that writes its new copy, which must not be divided then.
	leaving bool
	// orphans are the WorkPlacements, sorted, whose Work is gone and that nobody deletes.
	orphans []kratix.Key
	// limits are what it can hold.
	limits       layout.Limits
	state        statestore.State
	err          error
	destinations []*destinationView
}

// destinationView is one Destination and the records found in its directory.
type destinationView struct {
	*kratix.Destination
	base    tree.Path
	roots   []tree.Path
	records []recordView
	// guests are records of other Destinations in this one's directory.
	guests []recordView
	// owners are the controller IDs in the records.
	owners []string
	// assumed are the placements that have records only because the source
	// remembers them.
	assumed []*kratix.WorkPlacement
	// relayout reports whether the Destination is to be laid out anew, since its
	// records are of another layout.
	relayout bool
	// formerMode is another filepath mode that it is laid out in.
	formerMode string
	// legacy holds, by its path, the files that Kratix itself lists in mode none.
	legacy map[tree.Path][]tree.Path
	// invalidRecords are the files among the records that cannot be read as one.
	invalidRecords []tree.Path
	ledgerView
}

// observations are what was read in the last round. The zero value is ready for use.
type observations struct {
	records generations[*kratix.Destination, recordsView]
	former  generations[kratix.StateStoreReference, *formerIndex]
	// unrecorded is what Destinations have without a record.
	unrecorded generations[*kratix.Destination, unrecordedView]
	fights     fights
}

// turn begins a round: what the last one did not need is forgotten.
func (o *observations) turn() {
	o.records.turn()
	o.former.turn()
	o.unrecorded.turn()
}

// observe opens and reads every store that a Destination names.
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
	var reads sync.WaitGroup
	for _, store := range w.stores {
		reads.Go(func() { store.read(ctx) })
	}
	reads.Wait()
	separate(w)
	for _, store := range w.stores {
		takeRead(ctx, w, store, seen)
		leaveToOthers(w, store, policy)
		leaveFights(w, store, &seen.fights)
	}
	readUnused(ctx, w, opener, seen)
	restoreDamaged(w)
	addGuests(w, policy)
	checkModes(w)
	addRemembered(w)
	countFormer(w)
	if !policy.Unrecorded {
		adoptUnrecorded(w, seen)
	}
	if !w.Assigned { // else a request may well be on two Destinations
		resolveCopies(w)
	}
	reportOldCopies(w)
	return w
}

// addUnwritten has what may be on the Destinations that are not to be written wait, and
// what is there stay. Where Works are assigned to Destinations, nothing is chosen.
func addUnwritten(o *observed) {
	if o.Assigned {
		return
	}
	for _, d := range o.Unwritten {
		o.leftOut = append(o.leftOut, scheduler.Destination{Destination: d, Store: scheduler.StoreUnread})
	}
}

// keepOpen lets the opener close the stores that are neither named by a Destination
// nor described in the input any more.
func keepOpen(o *observed, opener statestore.Opener) {
	refs := o.describedStores() // readUnused reads these too
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
	view := &destinationView{Destination: d, base: base, roots: roots}
	store := storeOf(o, *d.Spec.StateStoreRef, opener)
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

// leaveOut reports a Destination that cannot be written to.
func (o *observed) leaveOut(d *kratix.Destination, rule finding.Rule, why string) {
	o.leftOut = append(o.leftOut, scheduler.Destination{Destination: d, Store: scheduler.StoreUnread})
	o.findings = append(o.findings, finding.Finding{Rule: rule, Place: o.Origins.Of(d), Message: why})
}

// storeOf finds or opens the store of a name.
func storeOf(o *observed, ref kratix.StateStoreReference, opener statestore.Opener) *storeView {
	if known := o.lookup.stores[ref]; known != nil {
		return known
	}
	view := openStore(o, ref, opener)
	o.stores = append(o.stores, view)
	o.lookup.stores[ref] = view
	return view
}

// openStore opens the store of a name.
func openStore(o *observed, ref kratix.StateStoreReference, opener statestore.Opener) *storeView {
	view := &storeView{ref: ref, orphans: o.Orphans}
	var secret *kratix.SecretReference
	view.spec, secret = o.lookup.spec(ref)
	view.lacksSecret = o.lookup.lacks(secret)
	view.rejectsSecret = secret != nil && o.lookup.secret(secret) == nil && !view.lacksSecret
	view.Store, view.err = opener.Open(ref, view.spec, o.lookup.secret(secret))
	return view
}

// read reads a store, if it could be opened.
func (s *storeView) read(ctx context.Context) {
	if s.err == nil {
		s.state, s.err = s.Read(ctx)
	}
}

// takeRead takes in what was read of a store, and reads the records in it.
func takeRead(ctx context.Context, o *observed, store *storeView, seen *observations) {
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
			return // that the Secret cannot be used says all
		}
		o.findings = append(o.findings, failure)
	}
}

// goesWithItsFiles reports whether the Destination is being deleted, and its files
// with it.
func (d *destinationView) goesWithItsFiles() bool { return d.IsDeleted() && d.CleansUp() }

// limitsOf returns what a store can hold.
func limitsOf(store *storeView, policy Policy) layout.Limits {
	top, _ := tree.ParseDir(kratix.LocationOf(store.ref, store.spec).Path) // without one the store cannot be opened
	return layout.LimitsOf(store.ref.Kind, top, policy.AllowNames)
}
