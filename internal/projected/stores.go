// Package projected is the state stores as Kratix leaves them once it has written
// every WorkPlacement there is: for who decides what is placed and lets Kratix write
// it. The files of WorkPlacements lie over those that a store has now, where that
// can be read, and over nothing where it cannot. Nothing is ever written to a store.
package projected

import (
	"maps"
	"slices"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Stores opens projected stores. It is for one goroutine.
type Stores struct {
	// Opener opens what is projected on.
	Opener statestore.Opener
	// Unread has no store opened or read: what is projected on is nothing.
	Unread bool
	// Now is the clock.
	Now func() time.Time
	// Heirs returns the WorkPlacements that are not there and have what the lists of
	// others say that the store has; nil if there are none.
	Heirs func() []Heir

	// placements are the WorkPlacements by the names of their Destinations, and
	// destinations all Destinations by the stores that they name.
	placements   map[string][]*kratix.WorkPlacement
	destinations map[kratix.StateStoreReference][]*kratix.Destination
	heirs        map[string][]Heir
	open         map[kratix.StateStoreReference]*store
}

// Heir is a WorkPlacement that is not there.
type Heir struct {
	*kratix.WorkPlacement
	// Of is the WorkPlacement whose list counts, in mode none.
	Of *kratix.WorkPlacement
}

// Follow takes in what there is: the stores are read as of this snapshot.
func (s *Stores) Follow(snapshot source.Snapshot) {
	s.placements, s.destinations = map[string][]*kratix.WorkPlacement{}, map[kratix.StateStoreReference][]*kratix.Destination{}
	for _, p := range snapshot.WorkPlacements {
		s.placements[p.Spec.TargetDestinationName] = append(s.placements[p.Spec.TargetDestinationName], p)
	}
	s.heirs = map[string][]Heir{}
	if s.Heirs != nil {
		for _, h := range s.Heirs() {
			s.heirs[h.Spec.TargetDestinationName] = append(s.heirs[h.Spec.TargetDestinationName], h)
		}
	}
	for _, d := range snapshot.Destinations {
		if d.Spec.StateStoreRef != nil {
			s.destinations[*d.Spec.StateStoreRef] = append(s.destinations[*d.Spec.StateStoreRef], d)
		}
	}
}

// Open returns the projection of a store: the same one again while it projects on
// the same store.
func (s *Stores) Open(ref kratix.StateStoreReference, spec kratix.Object, secret *kratix.Secret) (statestore.Store, error) {
	var inner statestore.Store
	if !s.Unread || spec == nil {
		var err error
		if inner, err = s.Opener.Open(ref, spec, secret); err != nil {
			return nil, err // to go on without what others have put there could break a Destination
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

// Keep forgets the stores that are not among refs, and has them closed.
func (s *Stores) Keep(refs []kratix.StateStoreReference) {
	maps.DeleteFunc(s.open, func(ref kratix.StateStoreReference, _ *store) bool { return !slices.Contains(refs, ref) })
	statestore.Keep(s.Opener, refs)
}
