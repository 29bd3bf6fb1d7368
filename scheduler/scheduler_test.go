package scheduler

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

type labels = map[string]string

func destination(name string, l labels, change ...func(*Destination)) Destination {
	d := Destination{Destination: testkit.Destination(name, testkit.Labelled(l))}
	for _, c := range change {
		c(&d)
	}
	return d
}

func strict(d *Destination) { d.Spec.StrictMatchLabels = true }
func unread(d *Destination) { d.Store = StoreUnread }
func absent(d *Destination) { d.Store = StoreAbsent }
func deleting(d *Destination) {
	now := metav1.NewTime(time.Unix(1, 0))
	d.DeletionTimestamp = &now
}

func asks(source string, l labels) kratix.Selector {
	return kratix.Selector{Source: source, MatchLabels: l}
}

func request(name string, groups ...kratix.WorkloadGroup) *kratix.Work {
	return testkit.Request(name, testkit.WithGroups(groups...))
}

func dependency(name string, groups ...kratix.WorkloadGroup) *kratix.Work {
	w := request(name, groups...)
	w.Spec.ResourceName = ""
	return w
}

func existingPlacement(w *kratix.Work, group int, destination string) *kratix.WorkPlacement {
	return kratix.NewWorkPlacement(w, &w.Spec.WorkloadGroups[group], destination)
}

func outcome(r Result) []string {
	var lines []string
	for _, p := range r.Placements() {
		line := p.Work.Name + p.Directory + " on " + p.Spec.TargetDestinationName
		if p.Misplaced {
			line += " misplaced"
		}
		if !p.New {
			line += " again"
		}
		lines = append(lines, line)
	}
	for _, u := range r.Unplaced {
		lines = append(lines, u.Work.Name+u.Directory+" unplaced: "+u.Reason)
	}
	for what, list := range map[string][]*kratix.WorkPlacement{"kept": r.KeptInvalid, "held": r.KeptMissing, "removed": r.Removed} {
		for _, p := range list {
			lines = append(lines, p.Name+" "+what)
		}
	}
	slices.Sort(lines)
	return lines
}

func TestPlan(t *testing.T) {
	dev := labels{"env": "dev"}
	prod := labels{"env": "prod"}
	plain := request("a", testkit.Group("."))
	toDev := request("a", testkit.Group(".", asks("promise", dev)))

	for name, c := range map[string]struct {
		in   Input
		want []string
	}{
		"a request goes to the one Destination with the labels": {
			Input{Works: []*kratix.Work{toDev}, Destinations: []Destination{destination("x", prod), destination("y", dev)}},
			[]string{"a. on y"},
		},
		"a request goes to one of several": {
			Input{Works: []*kratix.Work{plain}, Destinations: []Destination{destination("x", nil), destination("y", nil)}},
			[]string{"a. on x"},
		},
		"a dependency goes to all that fit": {
			Input{
				Works:        []*kratix.Work{dependency("d", testkit.Group(".", asks("promise", dev)))},
				Destinations: []Destination{destination("x", dev), destination("y", dev), destination("z", prod)},
			},
			[]string{"d. on x", "d. on y"},
		},
		"a dependency gains a Destination that fits now": {
			Input{
				Works:        []*kratix.Work{dependency("d", testkit.Group("."))},
				Destinations: []Destination{destination("x", nil), destination("y", nil)},
				Existing:     []*kratix.WorkPlacement{existingPlacement(dependency("d", testkit.Group(".")), 0, "x")},
			},
			[]string{"d. on x again", "d. on y"},
		},
		"a dependency stays, misplaced, where it no longer fits": {
			Input{
				Works:        []*kratix.Work{dependency("d", testkit.Group(".", asks("promise", dev)))},
				Destinations: []Destination{destination("x", prod)},
				Existing:     []*kratix.WorkPlacement{existingPlacement(dependency("d", testkit.Group(".")), 0, "x")},
			},
			[]string{"d. on x misplaced again"},
		},
		"a request stays where it is": {
			Input{
				Works: []*kratix.Work{plain}, Destinations: []Destination{destination("x", nil), destination("y", nil)},
				Existing: []*kratix.WorkPlacement{existingPlacement(plain, 0, "x")},
			},
			[]string{"a. on x again"},
		},
		"a request stays, misplaced, where it no longer fits": {
			Input{
				Works: []*kratix.Work{toDev}, Destinations: []Destination{destination("x", prod), destination("y", dev)},
				Existing: []*kratix.WorkPlacement{existingPlacement(toDev, 0, "x")},
			},
			[]string{"a. on x misplaced again"},
		},
		"a request is placed right again when the labels are back": {
			Input{
				Works: []*kratix.Work{toDev}, Destinations: []Destination{destination("x", dev)},
				Existing: []*kratix.WorkPlacement{existingPlacement(toDev, 0, "x")},
			},
			[]string{"a. on x again"},
		},
		"no labels fit every Destination but strict ones with labels": {
			Input{
				Works: []*kratix.Work{dependency("d", testkit.Group("."))},
				Destinations: []Destination{
					destination("labelled", dev), destination("bare", nil),
					destination("strict-labelled", dev, strict), destination("strict-bare", nil, strict),
				},
			},
			[]string{"d. on bare", "d. on labelled", "d. on strict-bare"},
		},
		"a strict Destination takes what asks for its labels": {
			Input{Works: []*kratix.Work{toDev}, Destinations: []Destination{destination("x", dev, strict)}},
			[]string{"a. on x"},
		},
		"a Destination that is being deleted takes nothing": {
			Input{Works: []*kratix.Work{plain}, Destinations: []Destination{destination("x", nil, deleting)}},
			[]string{"a. unplaced: 0/1 Destinations fit: 1 is being deleted"},
		},
		"a dry-run Destination takes no other Work": {
			Input{Works: []*kratix.Work{plain}, Destinations: []Destination{destination("x", labels{kratix.DryRunLabel: "true"})}},
			[]string{"a. unplaced: 0/1 Destinations fit: 1 is only for dry runs"},
		},
		"a dry-run Work goes to dry-run Destinations whatever it asks for": {
			Input{
				Works:        []*kratix.Work{dryRun(request("a", testkit.Group(".", asks("promise", prod))))},
				Destinations: []Destination{destination("x", prod), destination("y", labels{kratix.DryRunLabel: "true"})},
			},
			[]string{"a. on y"},
		},
		"two groups of a request go to one Destination if both fit": {
			Input{
				Works:        []*kratix.Work{request("a", testkit.Group("."), testkit.Group("dir", asks("resource-workflow", dev)))},
				Destinations: []Destination{destination("w", dev), destination("x", dev), destination("y", dev), destination("z", dev)},
			},
			[]string{"a. on x", "adir on x"},
		},
		"a new group joins the request's other group": {
			Input{
				Works:        []*kratix.Work{request("a", testkit.Group("."), testkit.Group("dir"))},
				Destinations: []Destination{destination("w", dev), destination("x", dev), destination("y", dev)},
				Existing:     []*kratix.WorkPlacement{existingPlacement(request("a", testkit.Group(".")), 0, "y")},
			},
			[]string{"a. on y again", "adir on y"},
		},
		"a group that is gone loses its placement": {
			Input{
				Works: []*kratix.Work{plain}, Destinations: []Destination{destination("x", nil)},
				Existing: []*kratix.WorkPlacement{existingPlacement(plain, 0, "x"), existingPlacement(request("a", testkit.Group("dir")), 0, "x")},
			},
			[]string{"a. on x again", "a.x-73600 removed"},
		},
		"a Work that is gone loses its placements": {
			Input{Destinations: []Destination{destination("x", nil)}, Existing: []*kratix.WorkPlacement{existingPlacement(plain, 0, "x")}},
			[]string{"a.x-5058f removed"},
		},
		"a Work that cannot be used keeps its placements": {
			Input{
				Destinations: []Destination{destination("x", nil)}, Existing: []*kratix.WorkPlacement{existingPlacement(plain, 0, "x")},
				Rejected: []kratix.Key{{Namespace: "default", Name: "a"}},
			},
			[]string{"a.x-5058f kept"},
		},
		"nothing is removed while part of the input is unknown": {
			Input{
				Destinations: []Destination{destination("x", nil)}, Existing: []*kratix.WorkPlacement{existingPlacement(plain, 0, "x")},
				Incomplete: true,
			},
			[]string{"a.x-5058f held"},
		},
		"a group that is gone is removed though other input is unknown": {
			Input{
				Works: []*kratix.Work{plain}, Destinations: []Destination{destination("x", nil)},
				Existing:   []*kratix.WorkPlacement{existingPlacement(request("a", testkit.Group("dir")), 0, "x")},
				Incomplete: true,
			},
			[]string{"a. on x", "a.x-73600 removed"},
		},
		"a new request waits when it may be where a store cannot be read": {
			Input{Works: []*kratix.Work{plain}, Destinations: []Destination{destination("x", nil), destination("y", nil, unread)}},
			[]string{"a. unplaced: it may be on y already, whose placements cannot be read"},
		},
		"a request that is elsewhere does not wait": {
			Input{
				Works: []*kratix.Work{plain}, Destinations: []Destination{destination("x", nil), destination("y", nil, unread)},
				Existing: []*kratix.WorkPlacement{existingPlacement(plain, 0, "x")},
			},
			[]string{"a. on x again"},
		},
		"a request that cannot be on the unread store does not wait": {
			Input{Works: []*kratix.Work{toDev}, Destinations: []Destination{destination("x", dev), destination("y", prod, unread)}},
			[]string{"a. on x"},
		},
		"a Destination without its store is passed over": {
			Input{Works: []*kratix.Work{plain}, Destinations: []Destination{destination("x", nil, absent), destination("y", nil)}},
			[]string{"a. on y"},
		},
		"a dependency passes a Destination without its store": {
			Input{Works: []*kratix.Work{dependency("d", testkit.Group("."))}, Destinations: []Destination{destination("x", nil, absent), destination("y", nil)}},
			[]string{"d. on y"},
		},
		"a new request waits when it may be on a Destination that cannot be read": {
			Input{Works: []*kratix.Work{plain}, Destinations: []Destination{destination("x", nil)}, Unseen: true},
			[]string{"a. unplaced: it may be on a Destination already that cannot be read"},
		},
		"a request that is placed and a dependency do not wait for one that cannot be read": {
			Input{
				Works: []*kratix.Work{plain, dependency("d", testkit.Group("."))}, Destinations: []Destination{destination("x", nil), destination("y", nil)}, Unseen: true,
				Existing: []*kratix.WorkPlacement{existingPlacement(plain, 0, "x")},
			},
			[]string{"a. on x again", "d. on x", "d. on y"},
		},
		"nothing fits, and every reason is counted": {
			Input{
				Works: []*kratix.Work{dependency("a", testkit.Group(".", asks("promise", labels{"env": "prod", "gpu": "yes"})))},
				Destinations: []Destination{
					destination("v", prod), destination("w", labels{"env": "prod", "gpu": "no"}), destination("x", dev),
					destination("y", nil, deleting), destination("z", labels{"env": "prod", "gpu": "yes"}, absent),
				},
			},
			[]string{"a. unplaced: 0/5 Destinations fit: 2 lack gpu=yes, 1 is being deleted, 1 lacks env=prod,gpu=yes, 1 is without their state store"},
		},
		"there is no Destination at all": {
			Input{Works: []*kratix.Work{plain}},
			[]string{"a. unplaced: there is no Destination"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := outcome(Plan(c.in)); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func dryRun(w *kratix.Work) *kratix.Work {
	w.Labels = labels{kratix.DryRunLabel: "true"}
	return w
}

func TestSelectorsMergeByTheirSource(t *testing.T) {
	for name, c := range map[string]struct {
		selectors []kratix.Selector
		want      string
	}{
		"none": {nil, ""},
		"the Promise goes before its workflow": {
			[]kratix.Selector{asks("promise", labels{"a": "promise"}), asks("promise-workflow", labels{"a": "workflow", "b": "workflow"})},
			"a=promise,b=workflow",
		},
		"the Promise's workflow goes before the request's": {
			[]kratix.Selector{asks("promise-workflow", labels{"a": "promise"}), asks("resource-workflow", labels{"a": "resource", "b": "resource"})},
			"a=promise,b=resource",
		},
		"their order does not matter": {
			[]kratix.Selector{asks("resource-workflow", labels{"a": "resource"}), asks("promise", labels{"a": "promise"})},
			"a=promise",
		},
		"within the Promise the last wins": {
			[]kratix.Selector{asks("promise", labels{"a": "first", "b": "first"}), asks("promise", labels{"a": "second", "c": "second"})},
			"a=second,b=first,c=second",
		},
		"within a workflow the last wins, wherever others stand": {
			[]kratix.Selector{
				asks("resource-workflow", labels{"a": "first", "b": "first"}), asks("promise-workflow", labels{"b": "workflow"}),
				asks("resource-workflow", labels{"a": "second", "b": "second"}), asks("resource-workflow", labels{"a": "third"}),
			},
			"a=third,b=workflow",
		},
		"within an unknown source the last wins": {
			[]kratix.Selector{asks("", labels{"a": "first"}), asks("", labels{"a": "second"})},
			"a=second",
		},
		"an unknown source counts least": {
			[]kratix.Selector{asks("somewhere", labels{"a": "x", "b": "x"}), asks("resource-workflow", labels{"a": "resource"})},
			"a=resource,b=x",
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

func TestMisplacedLabelIsSetAndRemoved(t *testing.T) {
	work := request("a", testkit.Group(".", asks("promise", labels{"env": "dev"})))
	plan := func(l labels, old *kratix.WorkPlacement) Placement {
		return Plan(Input{
			Works: []*kratix.Work{work}, Destinations: []Destination{destination("x", l)},
			Existing: []*kratix.WorkPlacement{old},
		}).Placements()[0]
	}
	misplaced := plan(nil, existingPlacement(work, 0, "x"))
	if misplaced.Labels[kratix.MisplacedLabel] != "true" || !strings.Contains(misplaced.Reason, "lacks env=dev") {
		t.Errorf("labels %v, reason %q", misplaced.Labels, misplaced.Reason)
	}
	if again := plan(labels{"env": "dev"}, misplaced.WorkPlacement); again.Labels[kratix.MisplacedLabel] != "" {
		t.Errorf("the label stays: %v", again.Labels)
	}
}

func TestExistingPlacementIsUpdated(t *testing.T) {
	old := existingPlacement(request("a", testkit.Group(".")), 0, "x")
	old.Name = "a-name-that-kratix-gave"
	work := request("a", testkit.Group("."))
	work.Generation = 7
	work.Spec.WorkloadGroups[0].Workloads = []kratix.Workload{{Filepath: "new.yaml"}}
	p := Plan(Input{Works: []*kratix.Work{work}, Destinations: []Destination{destination("x", nil)}, Existing: []*kratix.WorkPlacement{old}}).Placements()[0]
	if p.Name != old.Name || p.Spec.Generation != 7 || len(p.Spec.Workloads) != 1 {
		t.Errorf("%+v", p.WorkPlacement)
	}
}

func TestNewDestinationTakesOnlyItsShare(t *testing.T) {
	var before []Destination
	for i := range 9 {
		before = append(before, destination(fmt.Sprintf("d%d", i), nil))
	}
	after := append(slices.Clone(before), destination("d9", nil))
	where := func(destinations []Destination) map[string]string {
		var works []*kratix.Work
		for i := range 2000 {
			works = append(works, request(fmt.Sprintf("r%d", i), testkit.Group(".")))
		}
		at := map[string]string{}
		for _, p := range Plan(Input{Works: works, Destinations: destinations}).Placements() {
			at[p.Work.Name] = p.Spec.TargetDestinationName
		}
		return at
	}
	was, is := where(before), where(after)
	counts := map[string]int{}
	for name, now := range is {
		counts[now]++
		if now != was[name] && now != "d9" {
			t.Fatalf("%s would go from %s to %s, which was there before", name, was[name], now)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if counts[name] < 140 || counts[name] > 260 { // 200 each on average
			t.Errorf("%s has %d of 2000", name, counts[name])
		}
	}
}

func TestRandomPlans(t *testing.T) {
	for seed := range testkit.Seeds(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		w := newRandomInput(rng)
		var existing []*kratix.WorkPlacement
		for step := range 6 {
			w.change(rng)
			in := Input{Works: w.works, Destinations: w.destinations, Existing: existing}
			result := Plan(in)
			checkPlan(t, seed, step, in, result)
			existing = existing[:0:0]
			for _, p := range result.Placements() {
				existing = append(existing, p.WorkPlacement)
			}
		}
	}
}

type randomInput struct {
	works        []*kratix.Work
	destinations []Destination
}

func newRandomInput(rng *rand.Rand) *randomInput {
	w := &randomInput{}
	for i := range 1 + rng.IntN(5) {
		w.destinations = append(w.destinations, destination(fmt.Sprintf("d%d", i), randomLabels(rng)))
	}
	for i := range 1 + rng.IntN(12) {
		groups := []kratix.WorkloadGroup{testkit.Group(".", asks("promise", randomLabels(rng)))}
		if rng.IntN(3) == 0 {
			groups = append(groups, testkit.Group("dir", asks("resource-workflow", randomLabels(rng))))
		}
		work := request(fmt.Sprintf("w%d", i), groups...)
		if rng.IntN(4) == 0 {
			work.Spec.ResourceName = ""
		}
		w.works = append(w.works, work)
	}
	return w
}

func randomLabels(rng *rand.Rand) labels {
	l := labels{}
	for _, key := range []string{"a", "b"} {
		if rng.IntN(2) == 0 {
			l[key] = strconv.Itoa(rng.IntN(2))
		}
	}
	return l
}

func (w *randomInput) change(rng *rand.Rand) {
	for _, d := range w.destinations {
		if rng.IntN(4) == 0 {
			d.Labels = randomLabels(rng)
		}
	}
	if len(w.works) > 1 && rng.IntN(3) == 0 {
		w.works = slices.Delete(slices.Clone(w.works), 0, 1)
	}
	rng.Shuffle(len(w.works), func(i, j int) { w.works[i], w.works[j] = w.works[j], w.works[i] })
}

func checkPlan(t *testing.T, seed uint64, step int, in Input, result Result) {
	t.Helper()
	shuffled := in
	shuffled.Works = slices.Clone(in.Works)
	slices.Reverse(shuffled.Works)
	shuffled.Destinations = slices.Clone(in.Destinations)
	slices.Reverse(shuffled.Destinations)
	shuffled.Existing = slices.Clone(in.Existing)
	slices.Reverse(shuffled.Existing)
	if a, b := outcome(result), outcome(Plan(shuffled)); !slices.Equal(a, b) {
		t.Fatalf("seed %d step %d: the order matters:\n%v\n%v", seed, step, a, b)
	}
	perGroup := map[groupKey]int{}
	for _, p := range result.Placements() {
		perGroup[groupKey{kratix.KeyOf(p.Work), p.Spec.ID}]++
		if !p.Work.IsDependency() && perGroup[groupKey{kratix.KeyOf(p.Work), p.Spec.ID}] > 1 {
			t.Fatalf("seed %d step %d: %s is placed twice", seed, step, p.Name)
		}
	}
	for _, old := range in.Existing {
		gone := slices.Contains(result.Removed, old)
		stays := slices.ContainsFunc(result.Placements(), func(p Placement) bool {
			return p.Name == old.Name && p.Spec.TargetDestinationName == old.Spec.TargetDestinationName
		})
		wanted := slices.ContainsFunc(in.Works, func(w *kratix.Work) bool { return w.Name == old.Labels[kratix.WorkLabel] })
		if gone == stays || stays != wanted {
			t.Fatalf("seed %d step %d: %s: gone %v, stays %v, wanted %v", seed, step, old.Name, gone, stays, wanted)
		}
	}
}

func TestAssumeReturnsAsFewDestinationsAsLabelsAllow(t *testing.T) {
	works := []*kratix.Work{
		request("a", testkit.Group(".", asks("promise", labels{"env": "dev"}))),
		request("b", testkit.Group(".", asks("promise", labels{"gpu": "yes"}))),
		request("c", testkit.Group(".", asks("promise", labels{"env": "prod"}))),
		request("d", testkit.Group(".")),
		dryRun(request("e", testkit.Group("."))),
	}
	assumed := Assume(works)
	var destinations []Destination
	for _, d := range assumed {
		destinations = append(destinations, Destination{Destination: d})
	}
	if len(assumed) != 3 {
		t.Errorf("%d Destinations", len(assumed))
	}
	if result := Plan(Input{Works: works, Destinations: destinations}); len(result.Unplaced) > 0 {
		t.Errorf("unplaced: %v", outcome(result))
	}
}
