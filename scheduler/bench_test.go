package scheduler

import (
	"fmt"
	"math/rand/v2"
	"testing"

	klabels "k8s.io/apimachinery/pkg/labels"

	"github.com/kratix-schedule/kratix-schedule/kratix"
)

func BenchmarkPlan(b *testing.B) {
	in := benchInput(100_000)
	b.Run("plan", func(b *testing.B) {
		for b.Loop() {
			Plan(in)
		}
	})
	b.Run("baseline", func(b *testing.B) {
		for b.Loop() {
			baseline(in)
		}
	})
}

func benchInput(works int) Input {
	rng := rand.New(rand.NewPCG(1, 2))
	var in Input
	for i := range 1000 {
		in.Destinations = append(in.Destinations, destination(fmt.Sprintf("worker-%04d", i), labels{
			"environment": fmt.Sprintf("env-%d", rng.IntN(3)), "region": fmt.Sprintf("region-%d", rng.IntN(10)), "team": fmt.Sprintf("team-%d", rng.IntN(10)),
		}))
	}
	for i := range works {
		k := i % 300
		in.Works = append(in.Works, request(fmt.Sprintf("request-%06d", i), group(".",
			asks(kratix.PromiseSource, labels{"environment": fmt.Sprintf("env-%d", k%3)}),
			asks(kratix.ResourceWorkflowSource, labels{"region": fmt.Sprintf("region-%d", k/3%10), "team": fmt.Sprintf("team-%d", k/30)}),
		)))
	}
	return in
}

var sink int

func baseline(in Input) {
	sets := make([]klabels.Set, len(in.Destinations))
	for i, d := range in.Destinations {
		sets[i] = d.Labels
	}
	for _, w := range in.Works {
		merged := klabels.Set{}
		for _, s := range w.Spec.WorkloadGroups[0].DestinationSelectors {
			for k, v := range s.MatchLabels {
				merged[k] = v
			}
		}
		selector := klabels.SelectorFromSet(merged)
		for _, set := range sets {
			if selector.Matches(set) {
				sink++
			}
		}
	}
}
