package scheduler

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

func TestMoves(t *testing.T) {
	dev, prod := labels{"env": "dev"}, labels{"env": "prod"}
	a := request("a", testkit.Group(".", asks("promise", dev)))
	both := request("a", testkit.Group(".", asks("promise", dev)), testkit.Group("dir", asks("promise", dev)))
	at := func(change ...func(*Destination)) []Destination {
		return []Destination{destination("x", prod), destination("y", dev, change...)}
	}
	for name, c := range map[string]struct {
		in    Input
		want  []string
		again bool
	}{
		"a misplaced request is placed a second time first": {
			Input{Works: []*kratix.Work{a}, Destinations: at(), Existing: []*kratix.WorkPlacement{existingPlacement(a, 0, "x")}, OnMisplaced: Move},
			[]string{"a. on x misplaced again", "a. on y"}, true,
		},
		"once the second placement is recorded the first goes": {
			Input{Works: []*kratix.Work{a}, Destinations: at(), Existing: []*kratix.WorkPlacement{existingPlacement(a, 0, "x"), movedFrom("x", existingPlacement(a, 0, "y"))}, OnMisplaced: Move},
			[]string{"a. on y again", "a.x-5058f moved to y"}, true,
		},
		"a move that was begun is finished though nobody asks any more": {
			Input{Works: []*kratix.Work{a}, Destinations: at(), Existing: []*kratix.WorkPlacement{existingPlacement(a, 0, "x"), movedFrom("x", existingPlacement(a, 0, "y"))}},
			[]string{"a. on y again", "a.x-5058f moved to y"}, true,
		},
		"a move is finished though the new place no longer fits": {
			Input{Works: []*kratix.Work{a}, Destinations: []Destination{destination("x", dev), destination("y", prod)}, Existing: []*kratix.WorkPlacement{existingPlacement(a, 0, "x"), movedFrom("x", existingPlacement(a, 0, "y"))}},
			[]string{"a. on y misplaced again", "a.x-5058f moved to y"}, true,
		},
		"two placements of nobody's making stay": {
			Input{Works: []*kratix.Work{a}, Destinations: at(), Existing: []*kratix.WorkPlacement{existingPlacement(a, 0, "x"), existingPlacement(a, 0, "y")}},
			[]string{"a. on x misplaced again", "a. on y again"}, false,
		},
		"of two placements of nobody's making the misplaced one goes when it may": {
			Input{Works: []*kratix.Work{a}, Destinations: at(), Existing: []*kratix.WorkPlacement{existingPlacement(a, 0, "x"), existingPlacement(a, 0, "y")}, OnMisplaced: Move},
			[]string{"a. on y again", "a.x-5058f moved to y"}, true,
		},
		"two that each claim to follow the other do not both go": {
			Input{Works: []*kratix.Work{a}, Destinations: at(), Existing: []*kratix.WorkPlacement{movedFrom("y", existingPlacement(a, 0, "x")), movedFrom("x", existingPlacement(a, 0, "y"))}},
			[]string{"a. on x misplaced again", "a.y-5058f moved to x"}, true,
		},
		"nothing fits better": {
			Input{Works: []*kratix.Work{a}, Destinations: at(cordoned), Existing: []*kratix.WorkPlacement{existingPlacement(a, 0, "x")}, OnMisplaced: Move},
			[]string{"a. on x misplaced again"}, false,
		},
		"a full Destination takes no move either": {
			Input{Works: []*kratix.Work{a}, Destinations: at(capacity("0")), Existing: []*kratix.WorkPlacement{existingPlacement(a, 0, "x")}, OnMisplaced: Move},
			[]string{"a. on x misplaced again"}, false,
		},
		"no move begins while a store cannot be read": {
			Input{Works: []*kratix.Work{a}, Destinations: append(at(), destination("z", prod, unread)), Existing: []*kratix.WorkPlacement{existingPlacement(a, 0, "x")}, OnMisplaced: Move},
			[]string{"a. on x misplaced again"}, false,
		},
		"no move begins before the last one is over": {
			Input{Works: []*kratix.Work{a}, Destinations: at(), Existing: []*kratix.WorkPlacement{movedFrom("w", existingPlacement(a, 0, "x"))}, OnMisplaced: Move},
			[]string{"a. on x misplaced again"}, false,
		},
		"the groups of a request move together": {
			Input{
				Works: []*kratix.Work{both}, Destinations: append(at(), destination("w", dev), destination("z", dev)), OnMisplaced: Move,
				Existing: []*kratix.WorkPlacement{existingPlacement(both, 0, "x"), existingPlacement(both, 1, "x")},
			},
			[]string{"a. on w", "a. on x misplaced again", "adir on w", "adir on x misplaced again"}, true,
		},
		"a dependency does not move": {
			Input{
				Works: []*kratix.Work{dependency("d", testkit.Group(".", asks("promise", dev)))}, Destinations: at(), OnMisplaced: Move,
				Existing: []*kratix.WorkPlacement{existingPlacement(dependency("d", testkit.Group(".")), 0, "x"), existingPlacement(dependency("d", testkit.Group(".")), 0, "y")},
			},
			[]string{"d. on x misplaced again", "d. on y again"}, false,
		},
		"a move that is asked for is made": {
			Input{
				Works: []*kratix.Work{request("a", testkit.Group("."))}, Destinations: at(), Existing: []*kratix.WorkPlacement{existingPlacement(a, 0, "x")},
				Moves: []Relocation{{Work: kratix.KeyOf(a), Group: kratix.GroupID("."), From: "x", To: "y"}},
			},
			[]string{"a. on x again", "a. on y"}, true,
		},
		"a move that is asked for and no longer possible is not made": {
			Input{
				Works: []*kratix.Work{request("a", testkit.Group("."))}, Destinations: at(cordoned), Existing: []*kratix.WorkPlacement{existingPlacement(a, 0, "x")},
				Moves: []Relocation{{Work: kratix.KeyOf(a), Group: kratix.GroupID("."), From: "x", To: "y"}},
			},
			[]string{"a. on x again"}, false,
		},
		"a move from where it is not is not made": {
			Input{
				Works: []*kratix.Work{request("a", testkit.Group("."))}, Destinations: append(at(), destination("z", nil)), Existing: []*kratix.WorkPlacement{existingPlacement(a, 0, "x")},
				Moves: []Relocation{{Work: kratix.KeyOf(a), Group: kratix.GroupID("."), From: "z", To: "y"}},
			},
			[]string{"a. on x again"}, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			result := Plan(c.in)
			got := outcome(result)
			for _, m := range result.Moved {
				got = append(got, m.Name+" moved to "+m.To)
			}
			if !slices.Equal(got, c.want) || result.Again != c.again {
				t.Errorf("got\n%s\nwant\n%s\nagain %v", strings.Join(got, "\n"), strings.Join(c.want, "\n"), result.Again)
			}
			for _, p := range result.Placements() {
				if p.New && p.Labels[kratix.MovedFromLabel] == "" {
					t.Errorf("%s does not say where it comes from", p.Name)
				}
			}
		})
	}
}

func TestMovedFromLabelStaysUntilOldPlacementIsGone(t *testing.T) {
	a := request("a", testkit.Group("."))
	existing := []*kratix.WorkPlacement{movedFrom("x", existingPlacement(a, 0, "y"))}
	for name, c := range map[string]struct {
		in     Input
		marked bool
	}{
		"it is gone":              {Input{Destinations: []Destination{destination("x", nil), destination("y", nil)}}, false},
		"its Destination is gone": {Input{Destinations: []Destination{destination("y", nil)}}, false},
		"its Destination may only be unreadable": {
			Input{Destinations: []Destination{destination("y", nil)}, Incomplete: true}, true,
		},
		"its Destination cannot be read": {
			Input{Destinations: []Destination{destination("y", nil)}, Unseen: true}, true,
		},
		"its store cannot be read": {Input{Destinations: []Destination{destination("x", nil, unread), destination("y", nil)}}, true},
		"it is there": {
			Input{Destinations: []Destination{destination("x", nil), destination("y", nil)}, Existing: []*kratix.WorkPlacement{existingPlacement(a, 0, "x")}}, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.in.Works = []*kratix.Work{a}
			c.in.Existing = append(c.in.Existing, existing...)
			if p := Plan(c.in).Placements()[0]; p.Spec.TargetDestinationName != "y" || (p.Labels[kratix.MovedFromLabel] == "x") != c.marked {
				t.Errorf("on %s, labels %v", p.Spec.TargetDestinationName, p.Labels)
			}
		})
	}
}

func existingOn(in *Input, destination string, n int) {
	for range n {
		w := request(fmt.Sprintf("r%02d", len(in.Works)), testkit.Group("."))
		in.Works = append(in.Works, w)
		in.Existing = append(in.Existing, existingPlacement(w, 0, destination))
	}
}

func TestRebalance(t *testing.T) {
	for name, c := range map[string]struct {
		destinations []Destination
		load         map[string]int
		want         map[string]int
		moves        int
	}{
		"even already":              {[]Destination{destination("x", nil), destination("y", nil)}, map[string]int{"x": 3, "y": 2}, map[string]int{"x": 3, "y": 2}, 0},
		"a new Destination":         {[]Destination{destination("x", nil), destination("y", nil), destination("z", nil)}, map[string]int{"x": 6, "y": 6}, map[string]int{"x": 4, "y": 4, "z": 4}, 4},
		"by weight":                 {[]Destination{destination("x", nil), destination("y", nil, weight("3"))}, map[string]int{"x": 8}, map[string]int{"x": 2, "y": 6}, 6},
		"cordoned":                  {[]Destination{destination("x", nil, cordoned), destination("y", nil), destination("z", nil)}, map[string]int{"x": 4}, map[string]int{"y": 2, "z": 2}, 4},
		"cordoned, and nowhere":     {[]Destination{destination("x", nil, cordoned), destination("y", nil, cordoned)}, map[string]int{"x": 2}, map[string]int{"x": 2}, 0},
		"no more than the capacity": {[]Destination{destination("x", nil), destination("y", nil, capacity("2"))}, map[string]int{"x": 8}, map[string]int{"x": 6, "y": 2}, 2},
		"not to where it is unready": {
			[]Destination{destination("x", nil), destination("y", nil, notReady)}, map[string]int{"x": 8}, map[string]int{"x": 8}, 0,
		},
		"not to weight 0, but away":        {[]Destination{destination("x", nil, weight("0")), destination("y", nil)}, map[string]int{"x": 2, "y": 2}, map[string]int{"y": 4}, 2},
		"a capacity that cannot be read":   {[]Destination{destination("x", nil, capacity("ten")), destination("y", nil)}, map[string]int{"x": 4}, map[string]int{"x": 4}, 0},
		"a cordon that cannot be read":     {[]Destination{destination("x", nil, annotated(CordonAnnotation, "yes")), destination("y", nil)}, map[string]int{"x": 4}, map[string]int{"x": 4}, 0},
		"cordoned, and an unread capacity": {[]Destination{destination("x", nil, capacity("ten"), cordoned), destination("y", nil)}, map[string]int{"x": 4}, map[string]int{"y": 4}, 4},
		"a store is unread":                {[]Destination{destination("x", nil), destination("y", nil), destination("z", nil, unread)}, map[string]int{"x": 8}, map[string]int{"x": 8}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			in := Input{Destinations: c.destinations}
			for _, d := range c.destinations {
				existingOn(&in, d.Name, c.load[d.Name])
			}
			in.Moves = Rebalance(in)
			if len(in.Moves) != c.moves {
				t.Errorf("%d moves, want %d: %v", len(in.Moves), c.moves, in.Moves)
			}
			got := map[string]int{}
			for range 3 { // the first plan adds new placements, the second removes old placements, and the third changes nothing
				result := Plan(in)
				in.Existing, in.Moves, got = nil, nil, map[string]int{}
				for _, p := range result.Placements() {
					in.Existing = append(in.Existing, p.WorkPlacement)
					got[p.Spec.TargetDestinationName]++
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if again := Rebalance(in); len(again) > 0 {
				t.Errorf("and then again %v", again)
			}
		})
	}
}

func TestRebalanceKeepsGroupsTogetherAndFits(t *testing.T) {
	gpu := labels{"gpu": "yes"}
	in := Input{Destinations: []Destination{destination("x", gpu), destination("y", gpu), destination("z", nil)}}
	for i := range 6 {
		w := request(fmt.Sprintf("r%d", i), testkit.Group("."), testkit.Group("dir", asks("promise", gpu)))
		in.Works = append(in.Works, w)
		in.Existing = append(in.Existing, existingPlacement(w, 0, "x"), existingPlacement(w, 1, "x"))
	}
	moves := Rebalance(in)
	if len(moves) != 6 {
		t.Fatalf("%d moves: %v", len(moves), moves)
	}
	for i := 0; i < len(moves); i += 2 {
		if moves[i].Work != moves[i+1].Work || moves[i].To != "y" || moves[i+1].To != "y" {
			t.Errorf("%v and %v", moves[i], moves[i+1])
		}
	}
	reversed := in
	reversed.Works, reversed.Existing, reversed.Destinations = slices.Clone(in.Works), slices.Clone(in.Existing), slices.Clone(in.Destinations)
	slices.Reverse(reversed.Works)
	slices.Reverse(reversed.Existing)
	slices.Reverse(reversed.Destinations)
	if again := Rebalance(reversed); !slices.Equal(moves, again) {
		t.Errorf("the order matters: %v, %v", moves, again)
	}
}

func TestExplanationsAgreeWithThePlan(t *testing.T) {
	outcomes := map[Outcome]int{}
	for seed := range uint64(80) {
		s := newFixture(seed)
		for range 3 {
			s.change()
			in := s.input()
			result := Plan(in)
			for _, work := range in.Works {
				for _, group := range Explain(in, kratix.KeyOf(work)) {
					planned := map[string]bool{}
					for _, p := range result.Placements() {
						if p.Work == work && p.Directory == group.Directory {
							planned[p.Spec.TargetDestinationName] = true
						}
					}
					if len(group.Verdicts) < len(in.Destinations) {
						t.Fatalf("seed %d: %d verdicts on %d Destinations", seed, len(group.Verdicts), len(in.Destinations))
					}
					for _, v := range group.Verdicts {
						outcomes[v.Outcome]++
						if planned[v.Destination] != (v.Outcome == There || v.Outcome == Taken) || v.Reason == "" {
							t.Fatalf("seed %d: %s on %s is %q (%q), planned %v", seed, work.Name, v.Destination, v.Outcome, v.Reason, planned)
						}
					}
				}
			}
			s.write(result)
		}
	}
	for _, o := range []Outcome{There, Taken, Leaves, Passed, Unfit} {
		if outcomes[o] == 0 {
			t.Errorf("%q never came up", o)
		}
	}
}

func TestExplainReportsWaitingGroup(t *testing.T) {
	a := request("a", testkit.Group("."))
	for why, in := range map[string]Input{
		"it may be on y already, whose placements cannot be read": {Destinations: []Destination{destination("x", nil), destination("y", nil, unread)}},
		"it may be on a Destination already that cannot be read":  {Destinations: []Destination{destination("x", nil)}, Unseen: true},
	} {
		in.Works = []*kratix.Work{a}
		if got := Explain(in, kratix.KeyOf(a))[0].Verdicts[0]; got.Outcome != Passed || got.Reason != "it fits, but the group waits: "+why {
			t.Errorf("got %+v", got)
		}
	}
}

func TestExplainReportsDestinationsInTheDraw(t *testing.T) {
	in := Input{
		Works: []*kratix.Work{request("a", testkit.Group("."))},
		Destinations: []Destination{
			destination("v", nil, notReady), destination("w", nil), destination("x", nil, weight("3")), destination("y", nil, cordoned), destination("z", nil, capacity("0")),
		},
	}
	var got []string
	for _, v := range Explain(in, kratix.KeyOf(in.Works[0]))[0].Verdicts {
		got = append(got, fmt.Sprintf("%s %s: %s", v.Destination, v.Outcome, v.Reason))
	}
	want := []string{
		"v passed over: it fits, but is not ready",
		"w passed over: it fits, but x draws better (weight 3, here 1)",
		"x taken: 1 is full; 1 is cordoned; ready, unlike 1 other that fits; chosen of 3 Destinations that fit, by a repeatable spread by their weights",
		"y no: it fits, but is cordoned",
		"z no: it fits, but is full: it takes 0 resource placements",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
