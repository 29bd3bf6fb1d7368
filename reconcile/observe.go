package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/kratix-schedule/kratix-schedule/finding"
	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/layout"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/tree"
)

// world is all that a round knows.
type world struct {
	source.Snapshot
	stores []*storeView
	// leftOut are Destinations that nothing can be written to.
	leftOut []scheduler.Destination
	// unread are placements that the source remembers, where no record can say
	// otherwise.
	unread []*kratix.WorkPlacement
	// decided are placements that only their Works know of yet.
	decided  []*kratix.WorkPlacement
	findings []finding.Finding
}

// storeView is one store, what it holds, and the Destinations on it.
type storeView struct {
	statestore.Store
	ref kratix.StateStoreReference
	// spec describes the store; nil when the input does not.
	spec kratix.Object
	// lacksSecret tells that the Secret it names is not there.
	lacksSecret bool
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
	// owners are who wrote the records.
	owners []string
	// assumed are the placements that have records only because the source
	// remembers them.
	assumed []*kratix.WorkPlacement
	// legacy holds, by its path, the files that Kratix itself lists in mode none.
	legacy map[tree.Path][]tree.Path
	// spoilt are the files among the records that cannot be read as one.
	spoilt []tree.Path
}

// recordView is a placement that a store remembers.
type recordView struct {
	*layout.Record
	// path is the record's own.
	path tree.Path
	// why says why it is removed, if it is not for its Work.
	why string
}

// observe opens and reads every store that a Destination names.
func observe(ctx context.Context, snapshot source.Snapshot, opener Opener, policy Policy, memo *memo) *world {
	w := &world{Snapshot: snapshot}
	for _, destination := range snapshot.Destinations {
		w.addDestination(destination, opener)
	}
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
	}
	w.restore()
	w.remember()
	return w
}

func (w *world) addDestination(d *kratix.Destination, opener Opener) {
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
func (w *world) store(ref kratix.StateStoreReference, opener Opener) *storeView {
	if i := slices.IndexFunc(w.stores, func(s *storeView) bool { return s.ref == ref }); i >= 0 {
		return w.stores[i]
	}
	view := &storeView{ref: ref}
	var secret *kratix.SecretReference
	view.spec, secret = w.spec(ref)
	view.lacksSecret = w.lacks(secret)
	view.Store, view.err = opener.Open(ref, view.spec, w.secret(secret))
	w.stores = append(w.stores, view)
	return view
}

// spec finds the object that describes a store, and the Secret it names.
func (w *world) spec(ref kratix.StateStoreReference) (kratix.Object, *kratix.SecretReference) {
	switch ref.Kind {
	case kratix.GitStateStoreKind:
		for _, store := range w.GitStateStores {
			if store.Name == ref.Name {
				return store, store.Spec.SecretRef
			}
		}
	case kratix.BucketStateStoreKind:
		for _, store := range w.BucketStateStores {
			if store.Name == ref.Name {
				return store, store.Spec.SecretRef
			}
		}
	}
	return nil, nil
}

// secret finds the Secret that a store names, if it names one.
func (w *world) secret(ref *kratix.SecretReference) *kratix.Secret {
	if ref == nil {
		return nil
	}
	for _, secret := range w.Secrets {
		if kratix.KeyOf(secret) == ref.Key() {
			return secret
		}
	}
	return nil
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
		store.err = w.readRecords(ctx, store, memo)
	}
	if store.err != nil {
		failure := Failure(finding.Place{Object: store.ref.String()}, store.err)
		if store.lacksSecret && failure.Cause == finding.Unopened {
			failure.Cause = finding.SecretMissing
		}
		w.findings = append(w.findings, failure)
	}
}

func (w *world) readRecords(ctx context.Context, store *storeView, memo *memo) error {
	for _, d := range store.destinations {
		dir, err := layout.RecordsDir(d.Destination)
		if err != nil {
			return err
		}
		read, known := memo.records.get(d.Destination)
		if known && read.store != store.Store {
			known, read = false, recordsView{}
		}
		if !known || !read.files.Same(store.state.Files, dir) {
			if read, err = d.readRecords(ctx, store, dir, read.parsed); err != nil {
				return err
			}
			memo.records.put(d.Destination, read)
		}
		d.records, d.legacy, d.owners, d.spoilt = read.records, read.legacy, read.owners, read.spoilt
		w.findings = append(w.findings, read.findings...)
	}
	return nil
}

// readRecords reads the records of a Destination; known are some that were read
// before.
func (d *destinationView) readRecords(ctx context.Context, store *storeView, dir tree.Path, known map[recordKey]*readRecord) (recordsView, error) {
	view := recordsView{store: store.Store, files: store.state.Files, legacy: map[tree.Path][]tree.Path{}, parsed: map[recordKey]*readRecord{}}
	var words kratix.Words
	for path, sum := range store.state.Files.Below(dir) {
		key := recordKey{path, sum}
		read, ok := known[key]
		if !ok {
			content, err := store.state.Contents.Content(ctx, path)
			if err != nil {
				return view, fmt.Errorf("read the record %s: %w", path, err)
			}
			read = &readRecord{}
			read.Record, read.err = layout.ParseRecord(content)
			read.share(&words, store.state.Files)
		}
		view.parsed[key] = read
		view.add(d, path, read)
	}
	return view, nil
}

// add takes a record in, if it can be true.
func (v *recordsView) add(d *destinationView, path tree.Path, read *readRecord) {
	record, err := &read.Record, read.err
	outside := slices.IndexFunc(record.Files, func(p tree.Path) bool { return !p.Within(d.base) })
	switch {
	case err != nil:
	case outside >= 0:
		err = fmt.Errorf("it claims %s, outside of the Destination's directory", record.Files[outside])
	case record.Placement == nil:
		v.legacy[path] = record.Files
		return
	case record.Placement.Spec.TargetDestinationName != d.Name:
		err = fmt.Errorf("it is of Destination %s", record.Placement.Spec.TargetDestinationName)
	}
	if err != nil {
		place := finding.Place{Object: kratix.Describe(d.Destination), File: path.String()}
		v.findings = append(v.findings, finding.Finding{Rule: finding.BadRecord(), Place: place, Message: err.Error()})
		v.spoilt = append(v.spoilt, path)
		return
	}
	v.records = append(v.records, recordView{Record: record, path: path})
	if !slices.Contains(v.owners, record.Owner) {
		v.owners = append(v.owners, record.Owner)
	}
}

// addTo puts a recorded placement's files and its record into a set.
func (r recordView) addTo(set *tree.Set) {
	set.AddFile(r.path)
	for _, file := range r.Files {
		set.AddFile(file)
	}
}

// goesWithItsFiles tells that the Destination is being deleted, and its files
// with it.
func (d *destinationView) goesWithItsFiles() bool { return d.IsDeleted() && d.CleansUp() }

// input is what the scheduler needs of the world.
func (w *world) input() scheduler.Input {
	in := scheduler.Input{Works: w.Works, Rejected: w.Rejected, Incomplete: w.Incomplete, Unseen: w.Unseen, Destinations: slices.Clone(w.leftOut), Existing: slices.Concat(w.unread, w.decided)}
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
