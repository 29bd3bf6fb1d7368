// Package projected converts state stores and WorkPlacements to the state stores as they will be
// when Kratix has written every WorkPlacement. It is for the mode in which this program schedules
// and Kratix writes.
package projected

import (
	"maps"
	"slices"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Stores opens projected stores. It is not safe for concurrent use.
type Stores struct {
	// Opener opens the real stores.
	Opener statestore.Opener
	// Unread means that the stores are not read. The projections then begin with empty stores.
	Unread bool
	Now    func() time.Time
	// Implied returns the implied placements. It may be nil.
	Implied func() []ImpliedPlacement

	// placements contains the WorkPlacements by the name of their Destination, and destinations
	// contains the Destinations by state store.
	placements   map[string][]*kratix.WorkPlacement
	destinations map[kratix.StateStoreReference][]*kratix.Destination
	implied      map[string][]ImpliedPlacement
	open         map[kratix.StateStoreReference]*store
}

// ImpliedPlacement is a WorkPlacement that does not exist although its files do.
type ImpliedPlacement struct {
	*kratix.WorkPlacement
	// Of is the WorkPlacement whose list contains the files, in mode none.
	Of *kratix.WorkPlacement
}

// Follow sets the snapshot from which the projections are computed.
func (s *Stores) Follow(snapshot source.Snapshot) {
	s.placements, s.destinations = map[string][]*kratix.WorkPlacement{}, map[kratix.StateStoreReference][]*kratix.Destination{}
	for _, p := range snapshot.WorkPlacements {
		s.placements[p.Spec.TargetDestinationName] = append(s.placements[p.Spec.TargetDestinationName], p)
	}
	s.implied = map[string][]ImpliedPlacement{}
	if s.Implied != nil {
		for _, h := range s.Implied() {
			s.implied[h.Spec.TargetDestinationName] = append(s.implied[h.Spec.TargetDestinationName], h)
		}
	}
	for _, d := range snapshot.Destinations {
		if d.Spec.StateStoreRef != nil {
			s.destinations[*d.Spec.StateStoreRef] = append(s.destinations[*d.Spec.StateStoreRef], d)
		}
	}
}

// Open returns the projection of a store. It is the same as before if the Opener returns the same
// store.
func (s *Stores) Open(ref kratix.StateStoreReference, spec kratix.Object, secret *kratix.Secret) (statestore.Store, error) {
	var inner statestore.Store
	if !s.Unread || spec == nil {
		var err error
		if inner, err = s.Opener.Open(ref, spec, secret); err != nil {
			return nil, err // without the store, conflicts with its files would not be found
		}
	}
	if s.open == nil {
		s.open = map[kratix.StateStoreReference]*store{}
	}
	known := s.open[ref]
	if known == nil || known.inner != inner {
		known = &store{stores: s, ref: ref, inner: inner}
		s.open[ref] = known
	}
	return known, nil
}

// Keep closes the stores that are not in refs.
func (s *Stores) Keep(refs []kratix.StateStoreReference) {
	maps.DeleteFunc(s.open, func(ref kratix.StateStoreReference, _ *store) bool { return !slices.Contains(refs, ref) })
	statestore.Keep(s.Opener, refs)
}
