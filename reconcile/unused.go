package reconcile

import (
	"context"
	"slices"
	"sync"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// readUnused reads the state stores that no Destination uses, for placements of Destinations that
// were moved to another store.
func readUnused(ctx context.Context, o *observed, opener statestore.Opener, seen *observations) {
	for _, ref := range o.describedStores() {
		if !slices.ContainsFunc(o.stores, func(s *storeView) bool { return s.ref == ref }) {
			o.unused = append(o.unused, openStore(o, ref, opener))
		}
	}
	for _, ref := range o.formerRepositories() {
		o.unused = append(o.unused, openStore(o, ref, opener))
	}
	var reads sync.WaitGroup
	for _, store := range o.unused {
		reads.Go(func() { store.read(ctx) })
	}
	reads.Wait()
	o.unused = slices.DeleteFunc(o.unused, func(store *storeView) bool {
		if store.err == nil {
			store.err = readFormer(ctx, o, store, seen)
		}
		if store.err != nil {
			o.unreadable = append(o.unreadable, store)
		}
		return store.err != nil
	})
}

// describedStores returns the references to the state stores in the input, without OCIStateStores,
// which have repositories only for Destinations.
func (o *observed) describedStores() []kratix.StateStoreReference {
	var refs []kratix.StateStoreReference
	for _, store := range o.StateStores.All() {
		if store.KindName() != kratix.OCIStateStoreKind {
			refs = append(refs, kratix.ReferenceTo(store))
		}
	}
	return refs
}

// maxFormerRepositories bounds the repositories that are read although no Destination is on them.
const maxFormerRepositories = 1000

// formerRepositories returns references to the repositories that Destinations on other state stores
// would have in OCIStateStores. A Destination that was moved from a registry has left one there.
func (o *observed) formerRepositories() []kratix.StateStoreReference {
	var refs []kratix.StateStoreReference
	for _, store := range o.OCIStateStores {
		for _, d := range o.Destinations {
			ref := kratix.ReferenceTo(store).For(d)
			if o.lookup.stores[ref] == nil && kratix.CheckOCIName(ref.Dir) == nil && len(refs) < maxFormerRepositories {
				refs = append(refs, ref)
			}
		}
	}
	return refs
}

// reportUnreadable reports the unused stores that cannot be read, if they may have an unplaced
// request.
func reportUnreadable(o *observed, placed map[placedGroup][]string) {
	if len(o.unreadable) == 0 || !hasUnplaced(o, placed) {
		return
	}
	reported := map[kratix.StateStoreReference]bool{}
	for _, store := range o.unreadable {
		if reported[store.ref.Object()] {
			continue // another repository of the same registry
		}
		reported[store.ref.Object()] = true
		o.findings = append(o.findings, finding.Finding{
			Rule: finding.DoubtfulStore(), Place: finding.Place{Object: store.ref.String()},
			Message: "no Destination is on it, and it cannot be read; what a Destination had there before is not known: " + store.err.Error(),
			Fix:     "Make it readable, or remove it from the input.",
		})
	}
}

func hasUnplaced(o *observed, placed map[placedGroup][]string) bool {
	return slices.ContainsFunc(o.Works, func(work *kratix.Work) bool {
		return !work.IsDependency() && slices.ContainsFunc(work.Spec.WorkloadGroups, func(group kratix.WorkloadGroup) bool {
			return len(placed[placedGroup{kratix.KeyOf(work), group.ID}]) == 0
		})
	})
}
