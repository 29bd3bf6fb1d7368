package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Cleanup is the files that a Destination has left in one former directory.
type Cleanup struct {
	// Store is the kind and name of the state store. Dir is the directory in it.
	Store string
	Dir   tree.Path
	// Works are the Works with placements in the directory. Only are the Works among them that are
	// placed nowhere else. Remove are the files to remove.
	Works, Only []string
	Remove      []tree.Path
	// Err is the reason why the files could not be removed.
	Err error
}

var errUnseen = errors.New("something that cannot be read is or may be a Destination, so its directory is not known; correct it first: kratix-schedule validate names it")

// Cleanup removes the files that a Destination has left at its former locations. With Preview as
// Finish, it returns them without removing them. It keeps placements that are not yet written at
// the current location. The findings are about state stores that cannot be read. An error means
// that the source cannot be read, or does not show which directories are in use.
func (r *Reconciler) Cleanup(ctx context.Context, destination string) ([]Cleanup, []finding.Finding, error) {
	snapshot, err := r.Source.Snapshot(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("read the input: %w", err)
	}
	if snapshot.Unseen {
		return nil, nil, errUnseen
	}
	r.cache.startRound(r.Builder, r.stop(ctx), r.time())
	seen := observe(ctx, snapshot, r.Stores, r.Policy, &r.cache.observations)
	failed := slices.DeleteFunc(seen.findings, func(f finding.Finding) bool { return f.Rule != finding.StoreFailed() })
	var cleanups []Cleanup
	for _, store := range slices.Concat(seen.stores, seen.unused) {
		if store.err != nil {
			continue
		}
		found := leftIn(seen, store, destination)
		changes := statestore.ChangeSet{Base: store.state.Revision, Unfinished: store.state.Unfinished}
		for _, one := range found {
			changes.Remove = append(changes.Remove, one.Remove...)
			for _, work := range one.Works {
				changes.Placements = append(changes.Placements, statestore.PlacementChange{Action: statestore.Remove, Work: work, Destination: destination})
			}
		}
		if len(changes.Remove) == 0 {
			continue
		}
		slices.SortFunc(changes.Remove, tree.Compare)
		outcome := r.Finish(ctx, []statestore.StoreChanges{{Store: store.Store, Changes: changes}})[0]
		for i := range found {
			found[i].Err = outcome.Err
		}
		cleanups = append(cleanups, found...)
	}
	return cleanups, failed, nil
}

func leftIn(o *observed, store *storeView, destination string) []Cleanup {
	var found []Cleanup
	others := map[tree.Path]int{}
	untouchable := excludedFromCleanup(o, store)
	for _, f := range o.former {
		if f.store != store || f.at != nil || untouchable(f) {
			continue
		}
		if f.target() != destination || f.counts && o.has(destination) {
			others[f.base]++
			continue
		}
		at := slices.IndexFunc(found, func(c Cleanup) bool { return c.Dir == f.base })
		if at < 0 {
			at = len(found)
			found = append(found, Cleanup{Store: store.ref.String(), Dir: f.base})
		}
		found[at].Works = append(found[at].Works, f.Placement.Work().String())
		if f.counts {
			found[at].Only = append(found[at].Only, f.Placement.Work().String())
		}
		found[at].Remove = append(append(found[at].Remove, f.Files...), f.paths()...)
	}
	for i := range found {
		one := &found[i]
		if others[one.Dir] == 0 {
			one.Remove = append(one.Remove, leftFixtures(one.Dir)...)
		}
		one.Remove = slices.DeleteFunc(one.Remove, func(path tree.Path) bool { return !store.state.Files.Has(path) })
		slices.SortFunc(one.Remove, tree.Compare)
		one.Remove = slices.Compact(one.Remove)
		slices.Sort(one.Works)
	}
	return found
}

// excludedFromCleanup returns a function that reports whether Cleanup must keep a former placement,
// because of a Destination in Snapshot.Unwritten.
func excludedFromCleanup(o *observed, store *storeView) func(*formerPlacement) bool {
	whole := store.location(tree.Path{})
	isUsed := slices.Contains(o.stores, store)
	all := false
	var taken []layout.Location
	for _, d := range o.Unwritten {
		if d.Spec.StateStoreRef == nil {
			continue
		}
		ref := *d.Spec.StateStoreRef
		of := &storeView{ref: ref}
		of.spec, _ = o.lookup.spec(ref)
		all = all || !isUsed && of.location(tree.Path{}) == whole
		if base, err := layout.Base(d); err == nil {
			taken = append(taken, of.location(base))
		}
	}
	return func(f *formerPlacement) bool {
		at := store.location(f.base)
		return all || slices.ContainsFunc(taken, at.Overlaps)
	}
}

// leftFixtures returns the paths of the canaries of all filepath modes in a directory, and of the
// ledger.
func leftFixtures(base tree.Path) []tree.Path {
	var paths []tree.Path
	for _, mode := range layout.Modes() {
		for _, fixture := range fixturesIn(formerDestination("", base), mode) {
			paths = append(paths, fixture.Path)
		}
	}
	if ledger, err := layout.LedgerPath(formerDestination("", base)); err == nil {
		paths = append(paths, ledger)
	}
	return paths
}
