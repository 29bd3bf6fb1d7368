package scheduler

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	klabels "k8s.io/apimachinery/pkg/labels"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

func benchInput(works int) Input {
	rng := rand.New(rand.NewPCG(1, 2))
	var in Input
	for i := range 1000 {
		in.Destinations = append(in.Destinations, destination(fmt.Sprintf("worker-%04d", i), labels{
			"environment": fmt.Sprintf("env-%d", rng.IntN(3)), "region": fmt.Sprintf("region-%d", rng.IntN(10)), "team": fmt.Sprintf("team-%d", rng.IntN(10)),
		}))
	}
	for i := range works {
		in.Works = append(in.Works, benchWork(i))
	}
	return in
}

func benchWork(i int) *kratix.Work {
	k := i % 300
	return request(fmt.Sprintf("request-%06d", i), testkit.Group(".",
		asks(kratix.PromiseSource, labels{"environment": fmt.Sprintf("env-%d", k%3)}),
		asks(kratix.ResourceWorkflowSource, labels{"region": fmt.Sprintf("region-%d", k/3%10), "team": fmt.Sprintf("team-%d", k/30)}),
	))
}

// baseline evaluates a labels.Selector for each pair of a Work and a Destination.
func baseline(in Input) (matches int) {
	sets := make([]klabels.Set, len(in.Destinations))
	for i, d := range in.Destinations {
		sets[i] = d.Labels
	}
	for _, w := range in.Works {
		merged := klabels.Set{}
		for _, s := range w.Spec.WorkloadGroups[0].DestinationSelectors {
			maps.Copy(merged, s.MatchLabels)
		}
		selector := klabels.SelectorFromSet(merged)
		for _, set := range sets {
			if selector.Matches(set) {
				matches++
			}
		}
	}
	return matches
}

func matchAll(in Input) (matches int) {
	f := newFleet(in.Destinations)
	for _, w := range in.Works {
		matches += len(f.fits(w, &w.Spec.WorkloadGroups[0]).usable)
	}
	return matches
}

// BenchmarkFleet runs the fleet, the Planner and the baseline in turn, so that their times can be
// compared.
func BenchmarkFleet(b *testing.B) {
	in := benchInput(100_000)
	if a, b2 := matchAll(in), baseline(in); a != b2 {
		b.Fatalf("%d matches, %d by the baseline", a, b2)
	}
	var base, match, first, again, unchanged time.Duration
	for b.Loop() {
		base += timed(func() { baseline(in) })
		match += timed(func() { matchAll(in) })
		planner, recorded := &Planner{}, in
		first += timed(func() {
			for _, p := range planner.Plan(in).Placements() {
				recorded.Existing = append(recorded.Existing, p.WorkPlacement)
			}
		})
		again += timed(func() { planner.Plan(recorded) })
		unchanged += timed(func() { planner.Plan(recorded) })
	}
	b.ReportMetric(base.Seconds()/float64(b.N), "baseline-s")
	b.ReportMetric(match.Seconds()*1e3/float64(b.N), "match-ms")
	b.ReportMetric(first.Seconds()*1e3/float64(b.N), "first-ms")
	b.ReportMetric(again.Seconds()*1e3/float64(b.N), "recorded-ms")
	b.ReportMetric(unchanged.Seconds()*1e3/float64(b.N), "unchanged-ms")
	b.ReportMetric(float64(base)/float64(match), "x-match")
	b.ReportMetric(float64(base)/float64(first), "x-plan")
	b.ReportMetric(100*float64(unchanged)/float64(first), "unchanged-%")
}

func timed(do func()) time.Duration {
	began := time.Now()
	do()
	return time.Since(began)
}

func BenchmarkPlan(b *testing.B) {
	for _, works := range []int{1_000, 10_000, 100_000} {
		in := benchInput(works)
		b.Run(fmt.Sprintf("works=%d", works), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Plan(in)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(works), "ns/work")
		})
	}
}

// BenchmarkOneMore measures the plan that places one more Work, and the next plan, in which the
// Work is recorded.
func BenchmarkOneMore(b *testing.B) {
	for _, works := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("works=%d", works), func(b *testing.B) {
			planner, in := &Planner{}, benchInput(works)
			for _, p := range planner.Plan(in).Placements() {
				in.Existing = append(in.Existing, p.WorkPlacement)
			}
			planner.Plan(in)
			in.Works = append(slices.Clone(in.Works), benchWork(works))
			planner.Plan(in)
			var took time.Duration
			for i := works + 1; b.Loop(); i++ {
				work := benchWork(i)
				in.Works = append(slices.Clone(in.Works), work)
				took += timed(func() { planner.Plan(in) })
				for _, to := range planner.known.of(kratix.KeyOf(work)).on {
					in.Existing = append(slices.Clone(in.Existing), testkit.Placement(work, to))
				}
				took += timed(func() { planner.Plan(in) })
			}
			b.ReportMetric(float64(took.Microseconds())/float64(b.N), "µs/both-plans")
		})
	}
}
