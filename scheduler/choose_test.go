package scheduler

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	klabels "k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

func annotated(key, value string) func(*Destination) {
	return func(d *Destination) {
		d.Annotations = maps.Clone(d.Annotations)
		if d.Annotations == nil {
			d.Annotations = map[string]string{}
		}
		d.Annotations[key] = value
	}
}

func weight(n string) func(*Destination)   { return annotated(WeightAnnotation, n) }
func capacity(n string) func(*Destination) { return annotated(CapacityAnnotation, n) }
func cordoned(d *Destination)              { annotated(CordonAnnotation, "true")(d) }

func condition(status metav1.ConditionStatus) func(*Destination) {
	return func(d *Destination) { d.Status.Conditions = []metav1.Condition{{Type: "Ready", Status: status}} }
}

func notReady(d *Destination) { condition(metav1.ConditionFalse)(d) }

func onDemand(w *kratix.Work) *kratix.Work {
	w.Annotations = map[string]string{DependenciesAnnotation: OnDemand}
	return w
}

func movedFrom(from string, p *kratix.WorkPlacement) *kratix.WorkPlacement {
	p.Labels[kratix.MovedFromLabel] = from
	return p
}

// Request a fits w, x, y and z. If they are otherwise equal, x is chosen.
func TestChoices(t *testing.T) {
	a, b := request("a", testkit.Group(".")), request("b", testkit.Group("."))
	dev := labels{"env": "dev"}
	toDev := request("a", testkit.Group(".", asks("promise", dev)))
	all := func(change ...func(*Destination)) []Destination {
		return []Destination{destination("w", nil), destination("x", nil, change...), destination("y", nil), destination("z", nil)}
	}
	for name, c := range map[string]struct {
		in   Input
		want []string
	}{
		"the draw decides": {
			Input{Works: []*kratix.Work{a}, Destinations: all()},
			[]string{"a. on x"},
		},
		"a ready Destination goes before one that is not": {
			Input{Works: []*kratix.Work{a}, Destinations: []Destination{destination("x", nil, notReady), destination("y", nil)}},
			[]string{"a. on y"},
		},
		"a Destination of unknown readiness is not ready": {
			Input{Works: []*kratix.Work{a}, Destinations: []Destination{destination("x", nil, condition(metav1.ConditionUnknown)), destination("y", nil)}},
			[]string{"a. on y"},
		},
		"one that is not ready is better than none": {
			Input{Works: []*kratix.Work{a}, Destinations: []Destination{destination("x", nil, notReady)}},
			[]string{"a. on x"},
		},
		"a request stays where it is though it is not ready any more": {
			Input{Works: []*kratix.Work{a}, Destinations: all(notReady), Existing: []*kratix.WorkPlacement{existingPlacement(a, 0, "x")}},
			[]string{"a. on x again"},
		},
		"where nothing conflicts goes before where something does": {
			Input{Works: []*kratix.Work{a}, Destinations: all(), Conflicts: conflicts("x")},
			[]string{"a. on w"},
		},
		"ready goes before free of conflicts": {
			Input{Works: []*kratix.Work{a}, Destinations: []Destination{destination("x", nil), destination("y", nil, notReady)}, Conflicts: conflicts("x")},
			[]string{"a. on x"},
		},
		"where everything conflicts the draw decides": {
			Input{Works: []*kratix.Work{a}, Destinations: all(), Conflicts: conflicts("w", "x", "y", "z")},
			[]string{"a. on x"},
		},
		"free of conflicts goes before company": {
			Input{
				Works: []*kratix.Work{request("a", testkit.Group("."), testkit.Group("dir"))}, Destinations: all(), Conflicts: conflicts("y"),
				Existing: []*kratix.WorkPlacement{existingPlacement(a, 0, "y")},
			},
			[]string{"a. on y again", "adir on x"},
		},
		"company goes before weight": {
			Input{
				Works:        []*kratix.Work{request("a", testkit.Group("."), testkit.Group("dir"))},
				Destinations: []Destination{destination("x", nil, weight("1000")), destination("y", nil)},
				Existing:     []*kratix.WorkPlacement{existingPlacement(a, 0, "y")},
			},
			[]string{"a. on y again", "adir on y"},
		},
		"weight 0 is taken when there is no other": {
			Input{Works: []*kratix.Work{a}, Destinations: []Destination{destination("x", nil, weight("0")), destination("y", labels{"env": "prod"}, strict)}},
			[]string{"a. on x"},
		},
		"weight 0 is not taken when there is another": {
			Input{Works: []*kratix.Work{a}, Destinations: all(weight("0"))},
			[]string{"a. on w"},
		},
		"a cordoned Destination takes nothing new": {
			Input{Works: []*kratix.Work{a, dependency("d", testkit.Group("."))}, Destinations: []Destination{destination("x", nil, cordoned), destination("y", nil)}},
			[]string{"a. on y", "d. on y"},
		},
		"what is on a cordoned Destination stays and is not misplaced": {
			Input{Works: []*kratix.Work{a}, Destinations: all(cordoned), Existing: []*kratix.WorkPlacement{existingPlacement(a, 0, "x")}, OnMisplaced: Move},
			[]string{"a. on x again"},
		},
		"only cordoned Destinations fit": {
			Input{Works: []*kratix.Work{toDev}, Destinations: []Destination{
				destination("v", dev, cordoned), destination("w", nil), destination("x", nil),
			}},
			[]string{"a. unplaced: 0/3 Destinations fit: 2 lack env=dev, 1 is cordoned"},
		},
		"a full Destination takes no more": {
			Input{
				Works: []*kratix.Work{a, b}, Destinations: []Destination{destination("x", nil, capacity("1"))},
				Existing: []*kratix.WorkPlacement{existingPlacement(a, 0, "x")},
			},
			[]string{"a. on x again", "b. unplaced: 0/1 Destinations fit: 1 is full"},
		},
		"of several that compete the first by name has the place": {
			Input{Works: []*kratix.Work{b, a}, Destinations: []Destination{destination("x", nil, capacity("1"))}},
			[]string{"a. on x", "b. unplaced: 0/1 Destinations fit: 1 is full"},
		},
		"the next in the draw takes what a full one cannot": {
			Input{Works: []*kratix.Work{a}, Destinations: all(capacity("0"))},
			[]string{"a. on w"},
		},
		"what is there stays though it is more than the capacity": {
			Input{
				Works: []*kratix.Work{a, b}, Destinations: []Destination{destination("x", nil, capacity("1"))},
				Existing: []*kratix.WorkPlacement{existingPlacement(a, 0, "x"), existingPlacement(b, 0, "x")},
			},
			[]string{"a. on x again", "b. on x again"},
		},
		"a dependency does not count": {
			Input{Works: []*kratix.Work{a, dependency("d", testkit.Group("."))}, Destinations: []Destination{destination("x", nil, capacity("1"))}},
			[]string{"a. on x", "d. on x"},
		},
		"what is about to go still has its place": {
			Input{Works: []*kratix.Work{b}, Destinations: []Destination{destination("x", nil, capacity("1"))}, Existing: []*kratix.WorkPlacement{existingPlacement(a, 0, "x")}},
			[]string{"a.x-5058f removed", "b. unplaced: 0/1 Destinations fit: 1 is full"},
		},
		"a dependency on demand goes where a request is": {
			Input{
				Works:        []*kratix.Work{onDemand(dependency("d", testkit.Group("."))), toDev},
				Destinations: []Destination{destination("x", dev), destination("y", nil)},
			},
			[]string{"a. on x", "d. on x"},
		},
		"a dependency on demand fits the request's Destination or stays away": {
			Input{
				Works:        []*kratix.Work{onDemand(dependency("d", testkit.Group(".", asks("promise", labels{"env": "prod"})))), toDev},
				Destinations: []Destination{destination("x", dev), destination("y", labels{"env": "prod"})},
			},
			[]string{"a. on x", "d. unplaced: no request of Promise redis is on a Destination that fits (kratix-schedule.io/dependencies: on-demand)"},
		},
		"a dependency on demand stays when the last request goes": {
			Input{
				Works: []*kratix.Work{onDemand(dependency("d", testkit.Group(".")))}, Destinations: all(),
				Existing: []*kratix.WorkPlacement{existingPlacement(dependency("d", testkit.Group(".")), 0, "x")},
			},
			[]string{"d. on x again"},
		},
		"a request whose Work cannot be read still wants its dependencies": {
			Input{
				Works: []*kratix.Work{onDemand(dependency("d", testkit.Group(".")))}, Destinations: all(), Existing: []*kratix.WorkPlacement{existingPlacement(a, 0, "y")},
				Rejected: []kratix.Key{{Namespace: "default", Name: "a"}},
			},
			[]string{"a.y-5058f kept", "d. on y"},
		},
		"another Promise's request wants nothing": {
			Input{
				Works:        []*kratix.Work{onDemand(ofPromise("kafka", dependency("d", testkit.Group(".")))), a},
				Destinations: []Destination{destination("x", nil)},
			},
			[]string{"a. on x", "d. unplaced: no request of Promise kafka is on a Destination that fits (kratix-schedule.io/dependencies: on-demand)"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := outcome(Plan(c.in)); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func ofPromise(promise string, w *kratix.Work) *kratix.Work {
	w.Spec.PromiseName = promise
	return w
}

func conflicts(on ...string) func(*kratix.Work, *kratix.WorkloadGroup, string) bool {
	return func(_ *kratix.Work, _ *kratix.WorkloadGroup, destination string) bool {
		return slices.Contains(on, destination)
	}
}

func TestReasonHasEachStepOfTheChoice(t *testing.T) {
	a, both := request("a", testkit.Group(".")), request("a", testkit.Group("."), testkit.Group("dir"))
	for name, c := range map[string]struct {
		in   Input
		want string
	}{
		"one":         {Input{Destinations: []Destination{destination("x", nil)}}, "the only Destination that fits"},
		"even":        {Input{Destinations: []Destination{destination("x", nil), destination("y", nil)}}, "chosen of 2 Destinations that fit, by an even and repeatable spread"},
		"weighted":    {Input{Destinations: []Destination{destination("x", nil), destination("y", nil, weight("2"))}}, "chosen of 2 Destinations that fit, by a repeatable spread by their weights"},
		"full":        {Input{Destinations: []Destination{destination("x", nil), destination("y", nil, capacity("0"))}}, "1 is full; the only Destination that fits"},
		"cordoned":    {Input{Destinations: []Destination{destination("x", nil), destination("y", nil, cordoned)}}, "1 is cordoned"},
		"ready":       {Input{Destinations: []Destination{destination("x", nil), destination("y", nil, notReady)}}, "ready, unlike 1 other that fits"},
		"conflicting": {Input{Destinations: []Destination{destination("x", nil), destination("y", nil)}, Conflicts: conflicts("x")}, "it would be held back on 1 other that fits"},
		"company": {
			Input{Works: []*kratix.Work{both}, Destinations: []Destination{destination("x", nil), destination("y", nil)}, Existing: []*kratix.WorkPlacement{existingPlacement(a, 0, "x")}},
			"another group of the same request is there",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if c.in.Works == nil {
				c.in.Works = []*kratix.Work{a}
			}
			for _, p := range Plan(c.in).Placements() {
				if !p.New {
					continue
				}
				for part := range strings.SplitSeq(c.want, "; ") {
					if !strings.Contains(p.Reason, part) {
						t.Errorf("%q does not say %q", p.Reason, part)
					}
				}
			}
		})
	}
}

func TestInvalidAnnotationsAreReported(t *testing.T) {
	for _, c := range []struct {
		key, value, told string
		taken            bool
	}{
		{WeightAnnotation, "heavy", "must be a whole number", true},
		{WeightAnnotation, "-1", "must be a whole number", true},
		{WeightAnnotation, "0.5", "must be a whole number", true},
		{WeightAnnotation, "1000001", "must be a whole number", true},
		{WeightAnnotation, "1000000", "", true},
		{CapacityAnnotation, "lots", "until then nothing new is placed there", false},
		{CapacityAnnotation, "-1", "until then nothing new is placed there", false},
		{CapacityAnnotation, "1", "", true},
		{CordonAnnotation, "yes", "until then nothing new is placed there", false},
		{CordonAnnotation, "false", "", true},
		{CordonAnnotation, "true", "", false},
		{"kratix-schedule.io/weigth", "3", "kratix-schedule.io/weigth has no meaning here and is ignored; a Destination may have kratix-schedule.io/weight, ", true},
		{"kratix-schedule.io/Cordon", "true", "has no meaning here", true},
		{DependenciesAnnotation, OnDemand, "has no meaning here", true},
		{"kratix-schedule.io.example.com/note", "true", "", true},
	} {
		result := Plan(Input{
			Works:        []*kratix.Work{request("a", testkit.Group("."))},
			Destinations: []Destination{destination("x", nil, annotated(c.key, c.value))},
		})
		if taken := len(result.Placements()) == 1; taken != c.taken {
			t.Errorf("%s %q: placed %v", c.key, c.value, taken)
		}
		if c.told == "" && len(result.Invalid) > 0 || c.told != "" && (len(result.Invalid) != 1 || !strings.Contains(result.Invalid[0].Message, c.told)) {
			t.Errorf("%s %q: told %v", c.key, c.value, result.Invalid)
		}
	}
	work := dependency("d", testkit.Group("."))
	work.Annotations = map[string]string{DependenciesAnnotation: "sometimes"}
	if result := Plan(Input{Works: []*kratix.Work{work}}); len(result.Invalid) != 1 || result.Invalid[0].Object != kratix.Object(work) {
		t.Errorf("told %v", result.Invalid)
	}
	work = dependency("d", testkit.Group("."))
	work.Annotations = map[string]string{WeightAnnotation: "3", "kratix-schedule.io/dependency": OnDemand}
	if result := Plan(Input{Works: []*kratix.Work{work}}); len(result.Invalid) != 2 || !strings.Contains(result.Invalid[0].Message, "a Work may have "+RetryAnnotation+", "+DependenciesAnnotation) {
		t.Errorf("told %v", result.Invalid)
	}
	if result := Plan(Input{Works: []*kratix.Work{onDemand(request("a", testkit.Group(".")))}}); len(result.Invalid) != 1 {
		t.Errorf("told %v of a request's Work", result.Invalid)
	}
}

func TestSharesAreProportionalToWeights(t *testing.T) {
	const works = 6000
	in := Input{Destinations: []Destination{
		destination("a", nil), destination("b", nil, weight("2")), destination("c", nil, weight("3")), destination("d", nil, weight("0")),
	}}
	for i := range works {
		in.Works = append(in.Works, request(fmt.Sprintf("r%d", i), testkit.Group(".")))
	}
	counts := map[string]int{}
	for _, p := range Plan(in).Placements() {
		counts[p.Spec.TargetDestinationName]++
	}
	for name, share := range map[string]int{"a": 1, "b": 2, "c": 3, "d": 0} {
		want := works * share / 6
		if spread := 3.5 * math.Sqrt(float64(want)); math.Abs(float64(counts[name]-want)) > spread {
			t.Errorf("%s has %d, want %d give or take %.0f", name, counts[name], want, spread)
		}
	}
}

func TestHigherWeightOnlyAttractsRequests(t *testing.T) {
	where := func(w string) map[string]string {
		in := Input{Destinations: []Destination{destination("a", nil), destination("b", nil, weight("2")), destination("c", nil, weight(w))}}
		for i := range 1000 {
			in.Works = append(in.Works, request(fmt.Sprintf("r%d", i), testkit.Group(".")))
		}
		at := map[string]string{}
		for _, p := range Plan(in).Placements() {
			at[p.Work.Name] = p.Spec.TargetDestinationName
		}
		return at
	}
	before, after := where("3"), where("4")
	taken := 0
	for name, now := range after {
		if now != before[name] {
			taken++
			if now != "c" {
				t.Fatalf("%s would go from %s to %s", name, before[name], now)
			}
		}
	}
	if taken == 0 {
		t.Error("a higher weight takes nothing")
	}
}

func TestLogarithmsAreExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	numbers := []uint64{0, 1, 2, 3, math.MaxUint64, math.MaxUint64 - 1, 1 << 63, 1<<63 - 1, 1 << 32}
	for range 2000 {
		numbers = append(numbers, rng.Uint64()>>rng.IntN(64))
	}
	for _, n := range numbers {
		want := 64 - math.Log2(math.Max(float64(n), 1))
		if got := float64(negativeLog2(n)) / (1 << logBits); math.Abs(got-want) > 1e-8 {
			t.Errorf("%d: got %v, want %v", n, got, want)
		}
	}
}

func TestRequirementsHoldAsInKubernetes(t *testing.T) {
	operators := map[metav1.LabelSelectorOperator]selection.Operator{
		metav1.LabelSelectorOpIn: selection.In, metav1.LabelSelectorOpNotIn: selection.NotIn,
		metav1.LabelSelectorOpExists: selection.Exists, metav1.LabelSelectorOpDoesNotExist: selection.DoesNotExist,
	}
	rng := rand.New(rand.NewPCG(5, 6))
	matched := 0
	for range 20_000 {
		selector, oracle := kratix.Selector{Source: "promise", MatchLabels: randomLabels(rng)}, klabels.NewSelector()
		for key, value := range selector.MatchLabels {
			r, err := klabels.NewRequirement(key, selection.Equals, []string{value})
			if err != nil {
				t.Fatal(err)
			}
			oracle = oracle.Add(*r)
		}
		for range rng.IntN(4) {
			e := metav1.LabelSelectorRequirement{Key: []string{"a", "b", "c"}[rng.IntN(3)]}
			e.Operator = slices.Sorted(maps.Keys(operators))[rng.IntN(4)]
			if e.Operator == metav1.LabelSelectorOpIn || e.Operator == metav1.LabelSelectorOpNotIn {
				for range 1 + rng.IntN(2) {
					e.Values = append(e.Values, strconv.Itoa(rng.IntN(3)))
				}
			}
			selector.MatchExpressions = append(selector.MatchExpressions, e)
			r, err := klabels.NewRequirement(e.Key, operators[e.Operator], e.Values)
			if err != nil || kratix.CheckExpressions(selector.MatchExpressions) != nil {
				t.Fatal(err, kratix.CheckExpressions(selector.MatchExpressions))
			}
			oracle = oracle.Add(*r)
		}
		on := randomLabels(rng)
		merged, _ := merge([]kratix.Selector{selector})
		got, want := merged.hold(on), oracle.Matches(klabels.Set(on))
		if got != want || got != (len(merged.lacking(on)) == 0) {
			t.Fatalf("%s on %v: got %v, want %v", merged, on, got, want)
		}
		if parsed, err := klabels.Parse(merged.String()); err != nil || parsed.Matches(klabels.Set(on)) != want {
			t.Fatalf("%s does not say what it is: %v", merged, err)
		}
		if want {
			matched++
		}
	}
	if matched < 1000 {
		t.Errorf("only %d matched", matched)
	}
}

func TestExpressionsMergeLikeLabels(t *testing.T) {
	in := func(key string, values ...string) metav1.LabelSelectorRequirement {
		return metav1.LabelSelectorRequirement{Key: key, Operator: metav1.LabelSelectorOpIn, Values: values}
	}
	exists := metav1.LabelSelectorRequirement{Key: "a", Operator: metav1.LabelSelectorOpExists}
	for name, c := range map[string]struct {
		selectors []kratix.Selector
		want      string
	}{
		"both of one selector count": {
			[]kratix.Selector{{Source: "promise", MatchLabels: labels{"a": "1"}, MatchExpressions: []metav1.LabelSelectorRequirement{in("a", "1", "2")}}},
			"a in (1,2),a=1",
		},
		"a label goes before an expression of a lower source": {
			[]kratix.Selector{{Source: "resource-workflow", MatchExpressions: []metav1.LabelSelectorRequirement{in("a", "2"), in("b", "3")}}, asks("promise", labels{"a": "1"})},
			"a=1,b in (3)",
		},
		"an expression goes before a label of a lower source": {
			[]kratix.Selector{asks("resource-workflow", labels{"a": "1"}), {Source: "promise", MatchExpressions: []metav1.LabelSelectorRequirement{exists}}},
			"a",
		},
		"within a source the last to ask anything of a label counts": {
			[]kratix.Selector{asks("promise", labels{"a": "1"}), {Source: "promise", MatchExpressions: []metav1.LabelSelectorRequirement{in("a", "2")}}},
			"a in (2)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := testkit.Group(".", c.selectors...)
			if got := selectorsOf(request("a"), &g).String(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAssumedDestinationsFitExpressions(t *testing.T) {
	expr := func(key string, op metav1.LabelSelectorOperator, values ...string) kratix.Selector {
		return kratix.Selector{Source: "promise", MatchExpressions: []metav1.LabelSelectorRequirement{{Key: key, Operator: op, Values: values}}}
	}
	works := []*kratix.Work{
		request("a", testkit.Group(".", expr("env", metav1.LabelSelectorOpIn, "dev", "prod"))),
		request("b", testkit.Group(".", expr("env", metav1.LabelSelectorOpNotIn, "dev"))),
		request("c", testkit.Group(".", expr("gpu", metav1.LabelSelectorOpExists))),
		request("d", testkit.Group(".", expr("gpu", metav1.LabelSelectorOpDoesNotExist))),
	}
	var destinations []Destination
	for _, d := range Assume(works) {
		destinations = append(destinations, Destination{Destination: d})
	}
	if result := Plan(Input{Works: works, Destinations: destinations}); len(result.Unplaced) > 0 || len(destinations) != 2 {
		t.Errorf("%d Destinations, %v", len(destinations), outcome(result))
	}
}
