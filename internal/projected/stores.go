// Package projected turns the current state stores and the WorkPlacements of a cluster into the
// state stores as they will be once Kratix has written every WorkPlacement, for schedulers that
// leave writing to Kratix. The files of WorkPlacements are placed over the current files of a
// store if it can be read, and over an empty store otherwise. Its only I/O is to read the stores
// that it wraps: nothing is ever written to them.
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
	// Unread prevents stores from being opened or read: the projections are over empty
	// stores.
	Unread bool
	// Now is the clock.
	Now func() time.Time
	// Implied returns the missing WorkPlacements whose files are listed in the store by the
	// lists of other WorkPlacements. It may be nil.
	Implied func() []ImpliedPlacement

	// placements are the WorkPlacements by Destination name, and destinations all
	// Destinations by the stores that they name.
	placements   map[string][]*kratix.WorkPlacement
	destinations map[kratix.StateStoreReference][]*kratix.Destination
	implied      map[string][]ImpliedPlacement
	open         map[kratix.StateStoreReference]*store
}

// ImpliedPlacement is a WorkPlacement that does not exist.
type ImpliedPlacement struct {
	*kratix.WorkPlacement
	// Of is the WorkPlacement whose list applies, in mode none.
	Of *kratix.WorkPlacement
}

// Follow sets the snapshot that the projections are computed from.
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

// Open returns the projection of a store; it is the same one as long as the real store is the
// same.
func (s *Stores) Open(ref kratix.StateStoreReference, spec kratix.Object, secret *kratix.Secret) (statestore.Store, error) {
	var inner statestore.Store
	if !s.Unread || spec == nil {
		var err error
		if inner, err = s.Opener.Open(ref, spec, secret); err != nil {
			return nil, err // without the files of others, a Destination could be broken
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

// Keep drops and closes the stores that are not among refs.
func (s *Stores) Keep(refs []kratix.StateStoreReference) {
	maps.DeleteFunc(s.open, func(ref kratix.StateStoreReference, _ *store) bool { return !slices.Contains(refs, ref) })
	statestore.Keep(s.Opener, refs)
}
