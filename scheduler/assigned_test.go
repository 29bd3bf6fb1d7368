package scheduler

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

func assignedTo() *Assigned {
	return &Assigned{To: func(w *kratix.Work) string { return w.Annotations["on"] }}
}

func onOne(work *kratix.Work, destination string) *kratix.Work {
	work.Annotations = map[string]string{"on": destination}
	return work
}

func described(result Result) []string {
	var said []string
	for _, p := range result.Placements() {
		said = append(said, fmt.Sprintf("%s new=%v", p.Name, p.New))
	}
	for list, placements := range map[string][]*kratix.WorkPlacement{"removed": result.Removed, "kept": result.KeptInvalid, "held": result.KeptMissing} {
		for _, p := range placements {
			said = append(said, list+" "+p.Name)
		}
	}
	slices.Sort(said)
	return said
}

func TestAssignedPlacesOnlyOnAssignedDestinations(t *testing.T) {
	d1, d2, gone := destination("d1", nil), destination("d2", map[string]string{"a": "b"}), destination("gone", nil)
	gone.DeletionTimestamp, gone.Spec.Cleanup = &metav1.Time{}, "all"
	gone.DeletionTimestamp.Time = gone.DeletionTimestamp.AddDate(2000, 0, 0)
	one, two := onOne(request("w", testkit.Group(".")), "d1"), onOne(request("w", testkit.Group(".")), "d2") // the input may have two Works of one name
	cordoned := destination("d3", nil)
	cordoned.Annotations = map[string]string{CordonAnnotation: "true"}
	there := testkit.Placement(one, "d1")
	lost := request("lost", testkit.Group("."))
	in := Input{
		Works: []*kratix.Work{
			onOne(request("absent", testkit.Group(".")), "nowhere"), onOne(request("going", testkit.Group(".")), "gone"), onOne(request("third", testkit.Group(".")), "d3"), one, two,
		},
		Destinations: []Destination{d1, d2, gone, cordoned},
		Existing:     []*kratix.WorkPlacement{there, testkit.Placement(lost, "d1"), testkit.Placement(one, "d3")},
	}
	base := []string{"third.d3-5058f new=true", "w.d1-5058f new=false", "w.d2-5058f new=true"}
	for name, c := range map[string]struct {
		change func(*Input)
		want   []string
	}{
		"all is known":           {func(*Input) {}, append(slices.Clone(base), "removed lost.d1-5058f", "removed w.d3-5058f")},
		"a rejected Work":        {func(in *Input) { in.Rejected = []kratix.Key{kratix.KeyOf(lost)} }, append(slices.Clone(base), "kept lost.d1-5058f", "removed w.d3-5058f")},
		"an incomplete input":    {func(in *Input) { in.Incomplete = true }, append(slices.Clone(base), "held lost.d1-5058f", "removed w.d3-5058f")},
		"a store that is unread": {func(in *Input) { in.Destinations[1].Store = StoreUnread }, append(slices.Clone(base), "removed lost.d1-5058f", "removed w.d3-5058f")},
	} {
		changed := in
		changed.Destinations = slices.Clone(in.Destinations)
		c.change(&changed)
		slices.Sort(c.want)
		if got := described(assignedTo().Plan(changed)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := described(assignedTo().Plan(Input{Works: in.Works[:1], Existing: []*kratix.WorkPlacement{testkit.Placement(in.Works[0], "nowhere")}})); !slices.Equal(got, []string{"absent.nowhere-5058f new=false"}) {
		t.Errorf("what is recorded on a Destination that is away: %q", got)
	}
}

func TestAssignedReusesUnchangedPlacements(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	destinations := []Destination{destination("d1", nil), destination("d2", nil)}
	planner := assignedTo()
	works := map[string]*kratix.Work{}
	var last Result
	for range 2000 {
		if random.IntN(5) == 0 {
			delete(works, fmt.Sprint("w", random.IntN(5)))
		}
		if name := fmt.Sprint("w", random.IntN(5)); random.IntN(2) == 0 {
			works[name] = onOne(request(name, testkit.Group(".")), fmt.Sprint("d", 1+random.IntN(2)))
		}
		if random.IntN(4) == 0 {
			destinations = destinations[:1+random.IntN(2)]
		}
		in := Input{Destinations: destinations, Incomplete: random.IntN(4) == 0}
		for _, name := range []string{"w0", "w1", "w2", "w3", "w4"} {
			if w := works[name]; w != nil {
				in.Works = append(in.Works, w)
			}
		}
		for _, p := range last.Placements() {
			if random.IntN(4) > 0 {
				in.Existing = append(in.Existing, p.WorkPlacement)
			}
		}
		got := planner.Plan(in)
		if want := assignedTo().Plan(in); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q, want %q", described(got), described(want))
		}
		again := planner.Plan(in)
		if !slices.Equal(got.Placements(), again.Placements()) {
			t.Fatal("the same input makes other placements")
		}
		last = got
	}
}
