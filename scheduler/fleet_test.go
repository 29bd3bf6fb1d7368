package scheduler

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

func TestFleetCacheAgreesWithEvaluation(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 9))
	var destinations []Destination
	for i := range 150 {
		d := destination(fmt.Sprintf("d%03d", i), randomLabels(rng))
		for _, change := range []func(*Destination){strict, unread, absent, deleting, cordoned, notReady} {
			if rng.IntN(8) == 0 {
				change(&d)
			}
		}
		destinations = append(destinations, d)
	}
	f := newFleet(destinations)
	for range 5000 {
		work := request("w", testkit.Group(".", randomSelectors(rng)...))
		if rng.IntN(10) == 0 {
			dryRun(work)
		}
		g := &work.Spec.WorkloadGroups[0]
		got, asked := f.fits(work, g), selectorsOf(work, g)
		for i := range f.members {
			if want := verdictOn(asked, &f.members[i]); got.kinds[i] != want.kind {
				t.Fatalf("%v on %s: got %v, want %v", g.DestinationSelectors, f.members[i].Name, got.kinds[i], want)
			}
			if slices.Contains(got.usable, i) != (got.kinds[i] == open) || slices.Contains(got.unread, i) != (got.kinds[i] == unreadStore) {
				t.Fatalf("%v on %s is %v", g.DestinationSelectors, f.members[i].Name, got.kinds[i])
			}
		}
	}
}

func TestSelectorKeysAreUnambiguous(t *testing.T) {
	for name, c := range map[string][2]kratix.Selector{
		"labels": {asks("promise", labels{"a": "1", "b": "2"}), asks("promise", labels{"a": "1,b=2"})},
		"values": {
			{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: metav1.LabelSelectorOpIn, Values: []string{"1", "2"}}}},
			{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: metav1.LabelSelectorOpIn, Values: []string{"1,2"}}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			works := []*kratix.Work{request("w", testkit.Group(".", c[0])), request("z", testkit.Group(".", c[1]))}
			result := Plan(Input{Works: works, Destinations: []Destination{destination("x", labels{"a": "1", "b": "2"})}})
			if got := outcome(result); len(got) != 2 || got[0] != "w. on x" || len(result.Unplaced) != 1 {
				t.Errorf("got %q", got)
			}
		})
	}
}

func randomSelectors(rng *rand.Rand) []kratix.Selector {
	var all []kratix.Selector
	for range rng.IntN(4) {
		s := kratix.Selector{Source: []string{"promise", "promise-workflow", "resource-workflow", ""}[rng.IntN(4)], MatchLabels: randomLabels(rng)}
		for range rng.IntN(2) {
			s.MatchExpressions = append(s.MatchExpressions, metav1.LabelSelectorRequirement{
				Key: []string{"a", "b"}[rng.IntN(2)], Operator: metav1.LabelSelectorOpNotIn, Values: []string{strconv.Itoa(rng.IntN(2))},
			})
		}
		all = append(all, s)
	}
	return all
}

func TestDifferentSelectorsHaveDifferentTexts(t *testing.T) {
	exists := metav1.LabelSelectorRequirement{Key: "a", Operator: metav1.LabelSelectorOpExists}
	in := func(values ...string) metav1.LabelSelectorRequirement {
		return metav1.LabelSelectorRequirement{Key: "a", Operator: metav1.LabelSelectorOpIn, Values: values}
	}
	lists := [][]kratix.Selector{
		nil, {{}}, {{}, {}}, {{Source: "a"}}, {{Source: "1"}},
		{asks("", labels{"a": "1"})}, {asks("", labels{"a": ""})}, {asks("", labels{"a": "1", "b": "2"})}, {asks("", labels{"a": "1"}), asks("", labels{"b": "2"})},
		{asks("", labels{"b": "1"})}, {asks("b", labels{"a": "1"})},
		{{MatchExpressions: []metav1.LabelSelectorRequirement{exists}}}, {{MatchExpressions: []metav1.LabelSelectorRequirement{in("1")}}},
		{{MatchExpressions: []metav1.LabelSelectorRequirement{in("1", "2")}}}, {{MatchExpressions: []metav1.LabelSelectorRequirement{in("1"), in("2")}}},
	}
	f := newFleet(nil)
	spelt := map[string]string{}
	for range 2 {
		for _, dryRun := range []bool{false, true} {
			for _, list := range lists {
				f.encoder.encode(dryRun, list)
				key, is := fmt.Sprintf("%#v", f.encoder.words), fmt.Sprint(dryRun, list)
				if other, taken := spelt[key]; taken && other != is {
					t.Errorf("%s and %s are spelt %s", is, other, key)
				}
				spelt[key] = is
			}
		}
	}
	if len(spelt) != 2*len(lists) {
		t.Errorf("%d spellings of %d lists", len(spelt), 2*len(lists))
	}
}

func TestPlanIsReusedOnlyForUnchangedInput(t *testing.T) {
	a, x := request("a", testkit.Group(".")), destination("x", nil)
	in := Input{
		Works: []*kratix.Work{a}, Destinations: []Destination{x, destination("y", nil)}, Existing: []*kratix.WorkPlacement{existingPlacement(a, 0, "x")},
		Rejected: []kratix.Key{{Namespace: "default", Name: "b"}},
	}
	p := &Planner{}
	first := p.Plan(in)
	if again := p.Plan(in); &again.Destinations[0] != &first.Destinations[0] {
		t.Error("an unchanged input is planned again")
	}
	for name, change := range map[string]func(*Input){
		"works":        func(in *Input) { in.Works = []*kratix.Work{request("a", testkit.Group("."))} },
		"destinations": func(in *Input) { in.Destinations = []Destination{destination("x", nil), in.Destinations[1]} },
		"store": func(in *Input) {
			in.Destinations = []Destination{{Destination: x.Destination, Store: StoreAbsent}, in.Destinations[1]}
		},
		"existing":   func(in *Input) { in.Existing = nil },
		"rejected":   func(in *Input) { in.Rejected = nil },
		"incomplete": func(in *Input) { in.Incomplete = true },
		"unseen":     func(in *Input) { in.Unseen = true },
		"misplaced":  func(in *Input) { in.OnMisplaced = Move },
		"moves": func(in *Input) {
			in.Moves = []Relocation{{Work: kratix.KeyOf(a), Group: kratix.GroupID("."), From: "x", To: "y"}}
		},
	} {
		p, changed := &Planner{}, in
		before := p.Plan(in)
		change(&changed)
		after := p.Plan(changed)
		if &before.Destinations[0] == &after.Destinations[0] {
			t.Errorf("%s: the old plan is given", name)
		}
		if !reflect.DeepEqual(planText(after), planText(Plan(changed))) {
			t.Errorf("%s: got %s", name, planText(after))
		}
	}
}

func TestPlanThatDependsOnConflictsIsNotReused(t *testing.T) {
	in := Input{Works: []*kratix.Work{request("a", testkit.Group("."))}, Destinations: []Destination{destination("x", nil), destination("y", nil)}}
	p := &Planner{}
	p.Plan(in)
	in.Conflicts = conflicts("x")
	if got := p.Plan(in).Placements()[0].Spec.TargetDestinationName; got != "y" {
		t.Errorf("on %s", got)
	}
	in.Conflicts = conflicts("y")
	if got := p.Plan(in).Placements()[0].Spec.TargetDestinationName; got != "x" {
		t.Errorf("on %s", got)
	}
}
