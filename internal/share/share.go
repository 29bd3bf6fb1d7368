// Package share says which of several replicas writes to a place, so that no two
// do at one time. It does no I/O; share/lease brings it what the others say.
//
// Each replica publishes the view by which it acts: the replicas among which it
// takes all places to be dealt out. It writes to a place only while
//
//   - its own view, as it was published and as it is to be next, has the place,
//   - no other replica's published view has the place, as read
//     after its own was published, and
//   - it has renewed its Lease lately.
//
// A new view is published once no write is in hand to a place that is given up.
// So of two replicas that think a place theirs the one that published later sees
// the other's view and waits until that has changed: whatever the order of
// events, there is at most one writer. Members come to the same view as soon as
// they see the same Leases; then every place has one.
package share

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sync"
	"time"
)

// Replica is another replica, and the view that it has published.
type Replica struct {
	Name string
	View []string
}

// Owner returns the one of several replicas that a place is dealt out to, "" of
// none: the one with the highest draw (rendezvous hashing), so that when a replica
// comes or goes no place moves but to it or from it.
func Owner(place string, replicas []string) string {
	owner, highest := "", uint64(0)
	for _, replica := range replicas {
		draw := sha256.Sum256([]byte(replica + "\x00" + place))
		if n := binary.BigEndian.Uint64(draw[:]); owner == "" || n > highest || n == highest && replica < owner {
			owner, highest = replica, n
		}
	}
	return owner
}

// Share is what one replica knows of all, and its writes in hand. It is safe for
// concurrent use.
type Share struct {
	self string
	now  func() time.Time

	mu sync.Mutex
	// published is the view that others can read; confirmed the last one that was
	// published before the others' views were read; living are all that live.
	published, confirmed, living []string
	others                       []Replica
	// until is when the Lease must have been renewed.
	until time.Time
	// inHand counts the writes to each place.
	inHand map[string]int
}

// New makes the Share of a replica, which has nothing until its view is published;
// now is the clock.
func New(self string, now func() time.Time) *Share {
	return &Share{self: self, now: now, inHand: map[string]int{}}
}

// Mine reports whether this replica writes to a place now.
func (s *Share) Mine(place string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mine(place)
}

func (s *Share) mine(place string) bool {
	for _, view := range [][]string{s.published, s.confirmed, s.living} {
		if Owner(place, view) != s.self {
			return false
		}
	}
	contested := slices.ContainsFunc(s.others, func(o Replica) bool { return Owner(place, o.View) == o.Name })
	return !contested && s.now().Before(s.until)
}

// Begin takes a write to a place in hand, if this replica writes there; End says
// that it is over. The place is not given up in between.
func (s *Share) Begin(place string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.mine(place) {
		return false
	}
	s.inHand[place]++
	return true
}

// End says that a write that Begin took in hand is over.
func (s *Share) End(place string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inHand[place]--; s.inHand[place] == 0 {
		delete(s.inHand, place)
	}
}

// View returns the view to publish: all that live, or still the last one while a
// write is in hand to a place that another is to have.
func (s *Share) View() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for place := range s.inHand {
		if Owner(place, s.living) != s.self {
			return s.published
		}
	}
	return s.living
}

// Published says that others can read a view now, and until when this replica
// counts as living.
func (s *Share) Published(view []string, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.published, s.until = view, until
}

// Seen takes in which other replicas live, as read after the last Published. It
// reports whether anything is different from before.
func (s *Share) Seen(others []Replica) (differs bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	same := func(a, b Replica) bool { return a.Name == b.Name && slices.Equal(a.View, b.View) }
	differs = !slices.EqualFunc(s.others, others, same) || !slices.Equal(s.confirmed, s.published)
	living := []string{s.self}
	for _, other := range others {
		living = append(living, other.Name)
	}
	slices.Sort(living)
	s.others, s.confirmed, s.living = others, s.published, living
	return differs
}

// Living returns the replicas that live, this one among them, in order.
func (s *Share) Living() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.living
}

// Settled reports whether all that live act by the same view.
func (s *Share) Settled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Equal(s.confirmed, s.living) && !slices.ContainsFunc(s.others, func(o Replica) bool { return !slices.Equal(o.View, s.living) })
}
