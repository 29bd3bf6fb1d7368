package scheduler

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

func planText(r Result) string {
	var b strings.Builder
	for _, p := range r.Placements() {
		fmt.Fprintln(&b, "placed", p.Namespace, p.Name, p.Labels, p.Spec.TargetDestinationName, p.Spec.Generation, p.Directory, p.New, p.Misplaced, p.Reason)
	}
	for _, u := range r.Unplaced {
		fmt.Fprintln(&b, "unplaced", u.Work.Name, u.Directory, u.Waits, u.Idle, u.Reason)
	}
	for _, m := range r.Moved {
		fmt.Fprintln(&b, "moved", m.Name, m.To)
	}
	for what, list := range map[string][]*kratix.WorkPlacement{"kept": r.KeptInvalid, "held": r.KeptMissing, "removed": r.Removed} {
		if len(list) > 0 {
			fmt.Fprintln(&b, what, names(list))
		}
	}
	lines := strings.SplitAfter(b.String(), "\n")
	if len(r.KeptInvalid)+len(r.KeptMissing)+len(r.Removed) > 0 { // the loop above iterates over a map, in random order
		slices.Sort(lines)
	}
	for _, i := range r.Invalid {
		lines = append(lines, kratix.Describe(i.Object)+": "+i.Message+"\n")
	}
	return strings.Join(lines, "") + fmt.Sprintln("again", r.Again)
}

func names(list []*kratix.WorkPlacement) []string {
	var all []string
	for _, p := range list {
		all = append(all, p.Name)
	}
	return all
}

type fixture struct {
	rng          *rand.Rand
	works        map[string]*kratix.Work
	owners       map[string]kratix.WorkSpec
	destinations map[string]Destination
	stores       map[string]map[string]*kratix.WorkPlacement
}

func newFixture(seed uint64) *fixture {
	s := &fixture{
		rng: rand.New(rand.NewPCG(seed, 7)), works: map[string]*kratix.Work{}, owners: map[string]kratix.WorkSpec{},
		destinations: map[string]Destination{}, stores: map[string]map[string]*kratix.WorkPlacement{},
	}
	for range 3 + s.rng.IntN(4) {
		s.putDestination()
	}
	for range 2 + s.rng.IntN(10) {
		s.putWork()
	}
	return s
}

func (s *fixture) chance(one int) bool { return s.rng.IntN(one) == 0 }

func (s *fixture) putDestination() {
	name := fmt.Sprintf("d%d", s.rng.IntN(7))
	d := destination(name, randomLabels(s.rng))
	d.Annotations = map[string]string{}
	if s.chance(3) {
		d.Annotations[WeightAnnotation] = strconv.Itoa(s.rng.IntN(4))
	}
	if s.chance(4) {
		d.Annotations[CapacityAnnotation] = strconv.Itoa(s.rng.IntN(4))
	}
	if s.chance(6) {
		d.Annotations[CordonAnnotation] = "true"
	}
	if s.chance(12) {
		d.Annotations[CordonAnnotation] = "perhaps"
	}
	if s.chance(3) {
		d.Status.Conditions = []metav1.Condition{{Type: "Ready", Status: metav1.ConditionFalse}}
	}
	if s.chance(8) {
		deleting(&d)
	}
	s.destinations[name] = d
	if s.stores[name] == nil {
		s.stores[name] = map[string]*kratix.WorkPlacement{}
	}
}

func (s *fixture) putWork() *kratix.Work {
	name := fmt.Sprintf("w%d", s.rng.IntN(14))
	groups := []kratix.WorkloadGroup{testkit.Group(".", asks("promise", randomLabels(s.rng)))}
	if s.chance(3) {
		groups = append(groups, testkit.Group("dir", asks("resource-workflow", randomLabels(s.rng))))
	}
	work := request(name, groups...)
	work.Generation = s.rng.Int64N(100)
	owner, known := s.owners[name]
	if !known { // a Work keeps its Promise and its request
		owner = kratix.WorkSpec{PromiseName: fmt.Sprintf("p%d", s.rng.IntN(2)), ResourceName: fmt.Sprintf("r%d", s.rng.IntN(6))}
		if s.chance(4) {
			owner.ResourceName = ""
		}
		s.owners[name] = owner
	}
	work.Spec.PromiseName, work.Spec.ResourceName = owner.PromiseName, owner.ResourceName
	if s.chance(3) && work.IsDependency() {
		work.Annotations = map[string]string{DependenciesAnnotation: OnDemand}
	}
	s.works[name] = work
	return work
}

func (s *fixture) change() {
	for range s.rng.IntN(3) {
		s.putDestination()
	}
	for range s.rng.IntN(3) {
		s.putWork()
	}
	if s.chance(3) {
		for _, name := range slices.Sorted(maps.Keys(s.works)) {
			delete(s.works, name)
			break
		}
	}
}

func (s *fixture) input() Input {
	in := Input{Works: slices.Collect(maps.Values(s.works)), Destinations: slices.Collect(maps.Values(s.destinations))}
	for i, d := range in.Destinations {
		for _, p := range s.stores[d.Name] {
			if d.Store == StoreRead {
				in.Existing = append(in.Existing, p)
			}
		}
		in.Destinations[i] = d
	}
	if s.chance(2) {
		in.OnMisplaced = Move
	}
	return in
}

func (s *fixture) write(r Result) {
	fails := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(s.stores)) {
		fails[name] = s.chance(6)
	}
	for _, p := range r.Placements() {
		if to := p.Spec.TargetDestinationName; !fails[to] {
			s.stores[to][p.Name] = p.WorkPlacement
		}
	}
	remove := func(p *kratix.WorkPlacement) {
		if from := p.Spec.TargetDestinationName; !fails[from] {
			delete(s.stores[from], p.Name)
		}
	}
	for _, p := range r.Removed {
		remove(p)
	}
	for _, m := range r.Moved {
		remove(m.WorkPlacement)
	}
}

func (s *fixture) groups() map[groupKey][]*kratix.WorkPlacement {
	groups := map[groupKey][]*kratix.WorkPlacement{}
	for _, store := range s.stores {
		for _, p := range store {
			if !p.IsDependency() {
				key := groupKey{p.Work(), p.Spec.ID}
				groups[key] = append(groups[key], p)
			}
		}
	}
	return groups
}

func TestStoresNeverHoldAGroupTwice(t *testing.T) {
	moves, full, demanded := 0, 0, 0
	for seed := range uint64(100) {
		s, planner := newFixture(seed), &Planner{}
		for step := range 25 {
			at := fmt.Sprintf("seed %d step %d", seed, step)
			s.change()
			if s.chance(5) {
				planner = &Planner{} // a restart
			}
			if s.chance(20) {
				s.stores = map[string]map[string]*kratix.WorkPlacement{} // all records are lost
				for name := range s.destinations {
					s.stores[name] = map[string]*kratix.WorkPlacement{}
				}
			}
			before, in := s.groups(), s.input()
			result := Plan(in)
			if a, b := planText(result), planText(planner.Plan(in)); a != b {
				t.Fatalf("%s: the planner says\n%s\nand the plan is\n%s", at, b, a)
			}
			checkOrder(t, at, in, result)
			checkRules(t, at, in, result)
			s.write(result)
			moves += len(result.Moved)
			s.checkStores(t, at, before, in)
			full += strings.Count(planText(result), "full")
			demanded += strings.Count(planText(result), "a request of the Promise is there")
		}
	}
	if min(moves, full, demanded) < 100 {
		t.Errorf("too little happened: %d moves, %d full, %d dependencies on demand", moves, full, demanded)
	}
}

func checkOrder(t *testing.T, at string, in Input, want Result) {
	t.Helper()
	in.Works, in.Destinations, in.Existing = slices.Clone(in.Works), slices.Clone(in.Destinations), slices.Clone(in.Existing)
	slices.Reverse(in.Works)
	slices.Reverse(in.Destinations)
	slices.Reverse(in.Existing)
	if a, b := planText(want), planText(Plan(in)); a != b {
		t.Fatalf("%s: the order matters:\n%s\n%s", at, a, b)
	}
}

func checkRules(t *testing.T, at string, in Input, result Result) {
	t.Helper()
	load, members := map[string]int{}, map[string]Destination{}
	for _, d := range in.Destinations {
		members[d.Name] = d
	}
	for _, p := range in.Existing {
		if !p.IsDependency() {
			load[p.Spec.TargetDestinationName]++
		}
	}
	requests := map[string]bool{}
	for _, p := range result.Placements() {
		to := p.Spec.TargetDestinationName
		requests[p.Spec.PromiseName+" "+to] = requests[p.Spec.PromiseName+" "+to] || !p.IsDependency()
		if p.New && !p.IsDependency() {
			load[to]++
			if limit, ok := members[to].Annotations[CapacityAnnotation]; ok && strconv.Itoa(load[to]) > limit {
				t.Fatalf("%s: %s is over its capacity", at, to)
			}
		}
		if p.New && members[to].Annotations[CordonAnnotation] != "" {
			t.Fatalf("%s: %s is new on %s, which is cordoned", at, p.Name, to)
		}
	}
	for _, p := range result.Placements() {
		if p.New && isOnDemand(p.Work) && !requests[p.Spec.PromiseName+" "+p.Spec.TargetDestinationName] {
			t.Fatalf("%s: no request asks for %s", at, p.Name)
		}
	}
}

func (s *fixture) checkStores(t *testing.T, at string, before map[groupKey][]*kratix.WorkPlacement, in Input) {
	t.Helper()
	for key, placements := range s.groups() {
		where := map[string]*kratix.WorkPlacement{}
		for _, p := range placements {
			where[p.Spec.TargetDestinationName] = p
		}
		switch {
		case len(placements) > 2:
			t.Fatalf("%s: %v is in %d places", at, key, len(placements))
		case len(placements) == 2:
			a, b := placements[0], placements[1]
			if a.Labels[kratix.MovedFromLabel] != b.Spec.TargetDestinationName && b.Labels[kratix.MovedFromLabel] != a.Spec.TargetDestinationName {
				t.Fatalf("%s: %v is in two places, and not by a move: %v %v", at, key, a.Name, b.Name)
			}
		}
		was := before[key]
		if len(was) == 0 {
			continue
		}
		if in.OnMisplaced == Keep && len(was) == 1 && (len(placements) != 1 || where[was[0].Spec.TargetDestinationName] == nil) {
			t.Fatalf("%s: %v has moved, and nobody asked for it", at, key)
		}
		if !slices.ContainsFunc(was, func(p *kratix.WorkPlacement) bool { return where[p.Spec.TargetDestinationName] != nil }) {
			t.Fatalf("%s: %v left before the new place was recorded", at, key)
		}
	}
	for key := range before {
		if work := s.works[key.work.Name]; work != nil && len(s.groups()[key]) == 0 &&
			slices.ContainsFunc(work.Spec.WorkloadGroups, func(g kratix.WorkloadGroup) bool { return g.ID == key.id }) {
			t.Fatalf("%s: %v is nowhere any more", at, key)
		}
	}
}
