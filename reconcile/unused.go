package reconcile

import (
	"context"
	"slices"
	"sync"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// readUnused reads the state stores that no Destination is on: one that had another
// store before may have placements there.
func (w *world) readUnused(ctx context.Context, opener statestore.Opener, memo *memo) {
	for _, ref := range w.describedStores() {
		if !slices.ContainsFunc(w.stores, func(s *storeView) bool { return s.ref == ref }) {
			w.unused = append(w.unused, w.openStore(ref, opener))
		}
	}
	var reads sync.WaitGroup
	for _, store := range w.unused {
		reads.Go(func() { store.read(ctx) })
	}
	reads.Wait()
	w.unused = slices.DeleteFunc(w.unused, func(store *storeView) bool {
		if store.err == nil {
			store.err = w.readFormer(ctx, store, memo)
		}
		if store.err != nil {
			w.unreadable = append(w.unreadable, store)
		}
		return store.err != nil
	})
}

// describedStores returns the references to all state stores in the input.
func (w *world) describedStores() []kratix.StateStoreReference {
	var refs []kratix.StateStoreReference
	for _, store := range w.GitStateStores {
		refs = append(refs, kratix.StateStoreReference{Kind: kratix.GitStateStoreKind, Name: store.Name})
	}
	for _, store := range w.BucketStateStores {
		refs = append(refs, kratix.StateStoreReference{Kind: kratix.BucketStateStoreKind, Name: store.Name})
	}
	return refs
}

// reportUnreadable reports the unused stores that cannot be read, while a request
// is placed nowhere: it may be there. Nothing waits for them, since a store may be
// out of use because it is no more.
func (w *world) reportUnreadable(placed map[placedGroup][]string) {
	if len(w.unreadable) == 0 || !w.hasUnplaced(placed) {
		return
	}
	for _, store := range w.unreadable {
		w.findings = append(w.findings, finding.Finding{
			Rule: finding.DoubtfulStore(), Place: finding.Place{Object: store.ref.String()},
			Message: "no Destination is on it, and it cannot be read; what a Destination had there before is not known: " + store.err.Error(),
			Fix:     "Make it readable, or remove it from the input.",
		})
	}
}

// hasUnplaced reports whether a group of a request is placed nowhere.
func (w *world) hasUnplaced(placed map[placedGroup][]string) bool {
	return slices.ContainsFunc(w.Works, func(work *kratix.Work) bool {
		return !work.IsDependency() && slices.ContainsFunc(work.Spec.WorkloadGroups, func(group kratix.WorkloadGroup) bool {
			return len(placed[placedGroup{kratix.KeyOf(work), group.ID}]) == 0
		})
	})
}
