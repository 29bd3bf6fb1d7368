package scheduler_test

import (
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

func input() scheduler.Input {
	dev, prod := map[string]string{"environment": "dev"}, map[string]string{"environment": "prod"}
	cordoned := testkit.Destination("worker-2", testkit.Labelled(dev))
	cordoned.Annotations = map[string]string{scheduler.CordonAnnotation: "true"}
	operator := testkit.Request("operator", testkit.WithSelector(dev))
	operator.Spec.ResourceName = "" // makes the Work a dependency of the Promise
	return scheduler.Input{
		Works: []*kratix.Work{testkit.Request("cache", testkit.WithSelector(dev)), operator},
		Destinations: []scheduler.Destination{
			{Destination: testkit.Destination("worker-1", testkit.Labelled(dev))},
			{Destination: cordoned},
			{Destination: testkit.Destination("worker-3", testkit.Labelled(prod))},
		},
	}
}

func ExamplePlan() {
	for _, p := range scheduler.Plan(input()).Placements() {
		fmt.Printf("%s on %s: %s\n", p.Work.Name, p.Spec.TargetDestinationName, p.Reason)
	}
	// Output:
	// cache on worker-1: the only Destination that fits; 1 is cordoned
	// operator on worker-1: dependencies go to every Destination that fits
}

// The recorded placements stay, and the dependency is also placed on the Destination that is no
// longer cordoned.
func ExamplePlanner() {
	in := input()
	var planner scheduler.Planner
	for _, p := range planner.Plan(in).Placements() {
		in.Existing = append(in.Existing, p.WorkPlacement)
	}
	// Worker-2 is no longer cordoned. The input must not be changed in place.
	open := testkit.Destination("worker-2", testkit.Labelled(in.Destinations[1].Labels))
	in.Destinations = slices.Clone(in.Destinations)
	in.Destinations[1] = scheduler.Destination{Destination: open}
	for _, p := range planner.Plan(in).Placements() {
		fmt.Printf("%s on %s, new: %t\n", p.Work.Name, p.Spec.TargetDestinationName, p.New)
	}
	// Output:
	// cache on worker-1, new: false
	// operator on worker-1, new: false
	// operator on worker-2, new: true
}
