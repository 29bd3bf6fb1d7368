package promoted

import (
	"context"
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/source"
)

// LiveCleanup is a source for the clean-up of one Destination. Its snapshots have the promoted
// Destinations on their live state stores. It is not safe for concurrent use.
type LiveCleanup struct {
	source.Source
	// Live maps the state stores of Destinations without an annotation to live state stores.
	Live Stores
	Of   string

	// unsure is the state store of the Destination to clean up if its live state store is unknown,
	// and nil otherwise.
	unsure *kratix.StateStoreReference
}

// RefusedError is the error for a Destination that cannot be cleaned up because its live state
// store is not known.
type RefusedError struct{ Destination, Why, Fix string }

// Error returns the reason and the fix.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("Destination %s: %s; where it is live is not known, so nothing is removed. %s", e.Destination, e.Why, e.Fix)
}

// Snapshot returns the snapshot of Source, with promoted Destinations on their live state stores.
// The error may be a RefusedError.
func (o *LiveCleanup) Snapshot(ctx context.Context) (source.Snapshot, error) {
	seen, err := o.Source.Snapshot(ctx)
	if err != nil {
		return seen, err
	}
	stores, live := storesIn(seen), Source{live: o.Live}
	kratixs := newStaging(seen, stores)
	var unnamed []*kratix.Destination
	promoted := map[kratix.StateStoreReference]bool{}
	destinations, unwritten := []*kratix.Destination(nil), slices.Clone(seen.Unwritten)
	for _, d := range seen.Destinations {
		ref, wrong := live.usableStore(d, stores, kratixs)
		switch {
		case wrong == nil:
			promoted[*d.Spec.StateStoreRef] = true
			destinations, unwritten = append(destinations, on(d, ref)), append(unwritten, d)
		case wrong.Rule == finding.NotPromoted():
			unnamed = append(unnamed, d)
		case d.Name == o.Of:
			return seen, &RefusedError{d.Name, wrong.Message, wrong.Advice()}
		default:
			unwritten = append(unwritten, d)
		}
	}
	left, untouched, err := o.withoutLive(unnamed, promoted)
	if err != nil {
		return seen, err
	}
	seen.Destinations, seen.Unwritten = append(destinations, left...), append(unwritten, untouched...)
	seen.Assigned = seen.Assigned || len(promoted) > 0
	slices.SortFunc(seen.Destinations, source.Compare)
	return seen, nil
}

// withoutLive divides the Destinations without a live state store. untouched are those on a state
// store from which others are promoted, and left are all others.
func (o *LiveCleanup) withoutLive(all []*kratix.Destination, promoted map[kratix.StateStoreReference]bool) (left, untouched []*kratix.Destination, err error) {
	o.unsure = nil
	for _, d := range all {
		if d.Name == o.Of {
			if why := whyPromoted(d, promoted); why != "" {
				return nil, nil, &RefusedError{d.Name, why, "Name its live store with --live-store, as for run --promote."}
			}
			o.unsure = d.Spec.StateStoreRef
		}
		if promoted[*d.Spec.StateStoreRef] {
			untouched = append(untouched, d)
		} else {
			left = append(left, d)
		}
	}
	return left, untouched, nil
}

// whyPromoted returns the evidence that a Destination without a known live state store is promoted,
// or "".
func whyPromoted(d *kratix.Destination, promoted map[kratix.StateStoreReference]bool) string {
	switch {
	case slices.Contains(d.Finalizers, kratix.LiveFinalizer):
		return "it has the finalizer " + kratix.LiveFinalizer + ", so it is promoted, and no live state store"
	case promoted[*d.Spec.StateStoreRef]:
		return fmt.Sprintf("others on %s are promoted, and it has no live state store", d.Spec.StateStoreRef)
	}
	return ""
}

// MayBeLive reports whether a state store may be the unknown live state store of the Destination.
// It must be called after Snapshot.
func (o *LiveCleanup) MayBeLive(store string) bool {
	return o.unsure != nil && o.unsure.String() != store
}
