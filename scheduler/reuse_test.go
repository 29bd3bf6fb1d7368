package scheduler

import (
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

func TestNewPlacementsOfUnchangedWorksAreReused(t *testing.T) {
	works := []*kratix.Work{testkit.Request("a"), testkit.Request("b"), testkit.Request("c")}
	in := Input{Works: works, Destinations: []Destination{{Destination: testkit.Destination("worker-1")}}}
	var planner Planner
	before := planner.Plan(in).Placements()
	again := *works[2] // a changed Work is another object
	again.Spec.WorkloadGroups = append([]kratix.WorkloadGroup{}, again.Spec.WorkloadGroups...)
	again.Spec.WorkloadGroups[0].Workloads = []kratix.Workload{{Filepath: "other.yaml"}}
	in.Works = []*kratix.Work{works[0], works[1], &again}
	after := planner.Plan(in).Placements()
	for i := range 2 {
		if before[i].WorkPlacement != after[i].WorkPlacement {
			t.Errorf("%s was made again", after[i].Name)
		}
	}
	if after[2].Spec.Workloads[0].Filepath != "other.yaml" {
		t.Errorf("%s has its old files", after[2].Name)
	}
}
