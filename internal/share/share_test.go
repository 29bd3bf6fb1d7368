package share

import (
	"fmt"
	"math/rand"
	"slices"
	"strconv"
	"testing"
	"time"
)

func TestAPlaceMovesOnlyToOrFromTheReplicaThatComesOrGoes(t *testing.T) {
	before, after := []string{"a", "b", "c"}, []string{"d", "c", "b", "a"}
	counts := map[string]int{}
	const places = 1000
	for i := range places {
		place := fmt.Sprintf("git.example.com/store-%d#main", i)
		was, is := Owner(place, before), Owner(place, after)
		counts[is]++
		if is != was && is != "d" {
			t.Errorf("%s moves from %s to %s", place, was, is)
		}
	}
	for replica, n := range counts {
		if n < places/8 || n > places/2 {
			t.Errorf("%s has %d of %d places", replica, n, places)
		}
	}
	if Owner("x", nil) != "" {
		t.Error("nobody is to have a place among none")
	}
}

// api holds the Leases as a cluster would.
type api struct {
	clock time.Time
	views map[string][]string
	// renewed is when each Lease was.
	renewed map[string]time.Time
}

func (a *api) now() time.Time { return a.clock }

const (
	limit    = 10 * time.Second
	duration = 15 * time.Second
)

// player is a replica, which does one thing at a time: others get in between.
type player struct {
	*Share
	name string
	step int
	view []string
	at   time.Time
	// writes are those in hand.
	writes []string
	// seen is when each other's Lease was seen first as it is now.
	seen map[string][2]time.Time
}

// play does the next step of what share/lease does; it is false when the replica
// finds that it has lost its Lease.
func (p *player) play(a *api) bool {
	switch p.step {
	case 0:
		p.view, p.at = p.View(), a.clock
	case 1:
		if _, there := a.views[p.name]; !there && p.published != nil {
			return false
		}
		a.views[p.name], a.renewed[p.name] = p.view, a.clock
	case 2:
		p.Published(p.view, p.at.Add(limit))
	case 3:
		var others []Replica
		for name, view := range a.views {
			if name == p.name {
				continue
			}
			if p.seen[name][0] != a.renewed[name] {
				p.seen[name] = [2]time.Time{a.renewed[name], a.clock}
			}
			if a.clock.Sub(p.seen[name][1]) > duration {
				delete(a.views, name)
				continue
			}
			others = append(others, Replica{name, view})
		}
		slices.SortFunc(others, func(a, b Replica) int { return slices.Compare([]string{a.Name}, []string{b.Name}) })
		p.Seen(others)
	}
	p.step = (p.step + 1) % 4
	return true
}

// TestNoTwoReplicasWriteToOnePlace has replicas come, stop, die and write in any
// order.
func TestNoTwoReplicasWriteToOnePlace(t *testing.T) {
	wrote, tookOver := 0, 0
	for seed := range int64(3000) {
		random := rand.New(rand.NewSource(seed))
		a := &api{clock: time.Unix(0, 0), views: map[string][]string{}, renewed: map[string]time.Time{}}
		var players []*player
		last := map[string]string{}
		for step := range 200 {
			if len(players) < 2 || len(players) < 5 && random.Intn(20) == 0 {
				name := fmt.Sprintf("r%d", step)
				players = append(players, &player{Share: New(name, a.now), name: name, seen: map[string][2]time.Time{}})
			}
			at := random.Intn(len(players))
			p := players[at]
			place := fmt.Sprint("place-", random.Intn(4))
			a.clock = a.clock.Add(time.Duration(random.Intn(300)) * time.Millisecond)
			switch random.Intn(12) {
			case 0: // it dies, or nearly: what it has in hand is lost
				if random.Intn(10) == 0 {
					players = slices.Delete(players, at, at+1)
				}
			case 1, 2, 3:
				if p.Begin(place) {
					for _, other := range players {
						if other != p && slices.Contains(other.writes, place) {
							t.Fatalf("seed %d, step %d: %s writes to %s, and so does %s", seed, step, p.name, place, other.name)
						}
					}
					p.writes = append(p.writes, place)
					wrote++
					if last[place] != "" && last[place] != p.name {
						tookOver++
					}
					last[place] = p.name
				}
			case 4, 5, 6:
				if len(p.writes) > 0 {
					p.End(p.writes[0])
					p.writes = p.writes[1:]
				}
			default:
				lives := true
				for range random.Intn(8) { // while others do nothing
					lives = lives && p.play(a)
				}
				if !lives {
					players = slices.Delete(players, at, at+1)
				}
			}
		}
	}
	if wrote < 10_000 || tookOver < 1000 {
		t.Errorf("%d writes, %d after another's: too few to show anything", wrote, tookOver)
	}
}

func TestAllPlacesAreSomeonesOnceEverybodyHasLooked(t *testing.T) {
	a := &api{clock: time.Unix(0, 0), views: map[string][]string{}, renewed: map[string]time.Time{}}
	var players []*player
	for _, name := range []string{"a", "b", "c"} {
		players = append(players, &player{Share: New(name, a.now), name: name, seen: map[string][2]time.Time{}})
		for range 3 * 4 { // three rounds of each
			for _, p := range players {
				p.play(a)
			}
		}
		for i := range 20 {
			place, owners := strconv.Itoa(i), 0
			for _, p := range players {
				if p.Mine(place) {
					owners++
				}
			}
			if owners != 1 {
				t.Errorf("%d replicas: place %s has %d owners", len(players), place, owners)
			}
		}
		if !players[0].Settled() || len(players[0].Living()) != len(players) {
			t.Errorf("%d replicas: living %v", len(players), players[0].Living())
		}
	}
}

func TestAPlaceIsGivenUpOnlyOnceItsWriteIsOver(t *testing.T) {
	a := &api{clock: time.Unix(0, 0)}
	s := New("a", a.now)
	s.Published(s.View(), a.clock.Add(limit))
	s.Seen(nil)
	s.Published(s.View(), a.clock.Add(limit))
	s.Seen(nil)
	place := ""
	for i := 0; place == ""; i++ {
		if Owner(strconv.Itoa(i), []string{"a", "b"}) == "b" {
			place = strconv.Itoa(i)
		}
	}
	if !s.Begin(place) {
		t.Fatal("it is alone, and has not all places")
	}
	s.Seen([]Replica{{Name: "b"}})
	if s.Begin(place) || s.Mine(place) || len(s.View()) != 1 {
		t.Errorf("the place is to go to b: mine %v, view %v", s.Mine(place), s.View())
	}
	s.End(place)
	if got := s.View(); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("view %v once the write is over", got)
	}
}

func TestAReplicaThatDoesNotRenewStops(t *testing.T) {
	a := &api{clock: time.Unix(0, 0)}
	s := New("a", a.now)
	for range 2 {
		s.Published(s.View(), a.clock.Add(limit))
		s.Seen(nil)
	}
	if !s.Mine("x") {
		t.Fatal("it is alone, and has nothing")
	}
	if a.clock = a.clock.Add(limit); s.Mine("x") {
		t.Error("it writes on though its Lease was not renewed")
	}
}
