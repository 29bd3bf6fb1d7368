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

// world is all that a round knows.
type world struct {
	source.Snapshot
	stores []*storeView
	// leftOut are Destinations that nothing can be written to.
	leftOut []scheduler.Destination
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
	guardState
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
	// spoilt are the files among the records that cannot be read as one.
	spoilt []tree.Path
	ledgerView
}

// observe opens and reads every store that a Destination names.
func observe(ctx context.Context, snapshot source.Snapshot, opener statestore.Opener, policy Policy, memo *memo) *world {
	w := &world{Snapshot: snapshot, lookup: newLookup(snapshot)}
	for _, destination := range snapshot.Destinations {
		w.addDestination(destination, opener)
	}
	w.keepOpen(opener)
	w.stores = slices.DeleteFunc(w.stores, func(s *storeView) bool { return s.Store == nil && s.spec == nil })
	w.separate()
	for _, store := range w.stores {
		store.limits = limitsOf(store, policy)
	}
	var reads sync.WaitGroup
	for _, store := range w.stores {
		reads.Go(func() { store.read(ctx) })
	}
	reads.Wait()
	for _, store := range w.stores {
		w.take(ctx, store, memo)
		w.leaveToOthers(store, policy)
		w.leaveFights(store, &memo.fights)
	}
	w.readUnused(ctx, opener, memo)
	w.restore()
	w.addGuests(policy)
	w.checkModes()
	w.remember()
	w.settleFormer()
	if !policy.Unrecorded {
		w.adoptUnrecorded(memo)
	}
	if !w.Assigned { // else a request may well be on two Destinations
		w.settleCopies()
	}
	w.reportFormer()
	return w
}

// keepOpen lets the opener close the stores that are neither named by a Destination
// nor described in the input any more.
func (w *world) keepOpen(opener statestore.Opener) {
	refs := w.describedStores() // readUnused reads these too
	for _, store := range w.stores {
		refs = append(refs, store.ref)
	}
	statestore.Keep(opener, refs)
}

func (w *world) addDestination(d *kratix.Destination, opener statestore.Opener) {
	roots, err := layout.Roots(d)
	if err != nil {
		w.leaveOut(d, ruleFor(err), err.Error())
		return
	}
	base, err := layout.Base(d)
	if err != nil {
		w.leaveOut(d, finding.UnsafePath(), err.Error())
		return
	}
	view := &destinationView{Destination: d, base: base, roots: roots}
	store := w.store(*d.Spec.StateStoreRef, opener)
	if store.spec == nil {
		w.findings = append(w.findings, finding.Finding{
			Rule: finding.StoreMissing(), Place: w.Origins.Of(d),
			Message: fmt.Sprintf("it names %s, which is not in the input", d.Spec.StateStoreRef),
		})
	}
	if store.Store == nil && store.spec == nil {
		w.leftOut = append(w.leftOut, scheduler.Destination{Destination: d, Store: scheduler.StoreAbsent})
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
func (w *world) leaveOut(d *kratix.Destination, rule finding.Rule, why string) {
	w.leftOut = append(w.leftOut, scheduler.Destination{Destination: d, Store: scheduler.StoreUnread})
	w.findings = append(w.findings, finding.Finding{Rule: rule, Place: w.Origins.Of(d), Message: why})
}

// store finds or opens the store of a name.
func (w *world) store(ref kratix.StateStoreReference, opener statestore.Opener) *storeView {
	if known := w.lookup.stores[ref]; known != nil {
		return known
	}
	view := w.openStore(ref, opener)
	w.stores = append(w.stores, view)
	w.lookup.stores[ref] = view
	return view
}

// openStore opens the store of a name.
func (w *world) openStore(ref kratix.StateStoreReference, opener statestore.Opener) *storeView {
	view := &storeView{ref: ref, orphans: w.Orphans}
	var secret *kratix.SecretReference
	view.spec, secret = w.spec(ref)
	view.lacksSecret = w.lacks(secret)
	view.rejectsSecret = secret != nil && w.secret(secret) == nil && !view.lacksSecret
	view.Store, view.err = opener.Open(ref, view.spec, w.secret(secret))
	return view
}

// spec returns the object that describes a store, and the Secret it names.
func (w *world) spec(ref kratix.StateStoreReference) (kratix.Object, *kratix.SecretReference) {
	found := w.lookup.specs[ref]
	return found.object, found.secret
}

// secret returns the Secret that a store names; nil if it names none, or it is not
// there.
func (w *world) secret(ref *kratix.SecretReference) *kratix.Secret {
	if ref == nil {
		return nil
	}
	return w.lookup.secrets[ref.Key()]
}

// read reads a store, if it could be opened.
func (s *storeView) read(ctx context.Context) {
	if s.err == nil {
		s.state, s.err = s.Read(ctx)
	}
}

// take takes in what was read of a store, and reads the records in it.
func (w *world) take(ctx context.Context, store *storeView, memo *memo) {
	for _, warning := range store.state.Warnings {
		w.findings = append(w.findings, finding.Finding{Rule: finding.DoubtfulStore(), Place: finding.Place{Object: store.ref.String()}, Message: warning})
	}
	if store.err == nil {
		store.err = cmp.Or(w.readRecords(ctx, store, memo), w.readFormer(ctx, store, memo))
	}
	if store.err != nil {
		failure := Failure(finding.Place{Object: store.ref.String()}, store.err)
		if store.lacksSecret && failure.Cause == finding.Unopened {
			failure.Cause = finding.SecretMissing
		}
		if store.rejectsSecret && failure.Cause == finding.Unopened {
			return // that the Secret cannot be used says all
		}
		w.findings = append(w.findings, failure)
	}
}

// goesWithItsFiles reports whether the Destination is being deleted, and its files
// with it.
func (d *destinationView) goesWithItsFiles() bool { return d.IsDeleted() && d.CleansUp() }

// input is what the scheduler needs of the world.
func (w *world) input() scheduler.Input {
	in := scheduler.Input{Works: w.Works, Rejected: w.Rejected, Incomplete: w.Incomplete, Unseen: w.Unseen, Destinations: slices.Clone(w.leftOut), Existing: slices.Concat(w.unread, w.decided), Copies: w.copies}
	for _, store := range w.stores {
		known := scheduler.StoreRead
		if store.err != nil {
			known = scheduler.StoreUnread
		}
		for _, d := range store.destinations {
			in.Destinations = append(in.Destinations, scheduler.Destination{Destination: d.Destination, Store: known})
			if d.goesWithItsFiles() {
				continue
			}
			for _, record := range d.records {
				in.Existing = append(in.Existing, record.Placement)
			}
		}
	}
	return in
}
