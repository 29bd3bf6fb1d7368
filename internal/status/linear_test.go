package status

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/test/growth"
)

func deletedWorks(size int) (report.Report, Objects) {
	now := Objects{Destinations: []*kratix.Destination{testkit.Destination("worker-1")}}
	said := report.Report{Stores: []report.Store{{Name: "GitStateStore default", Revision: "c0ffee", Covered: []string{"worker-1"}}}}
	for i := range size {
		work := testkit.Request(fmt.Sprintf("w%06d", i))
		work.Finalizers, work.DeletionTimestamp = []string{kratix.WorkFinalizer}, &metav1.Time{Time: noon.Time}
		placement := testkit.Placement(work, "worker-1")
		placement.Finalizers = []string{kratix.PlacementFinalizer}
		now.Works, now.WorkPlacements = append(now.Works, work), append(now.WorkPlacements, placement)
		said.Placements = append(said.Placements, report.Placement{
			Work: kratix.KeyOf(work).String(), Directory: ".", Destination: "worker-1", State: report.Removed, Reason: "its Work is gone", Object: placement,
		})
	}
	return said, now
}

func planDeletedWorks(size int) func() {
	said, now := deletedWorks(size)
	return func() { Plan(said, now, Manage, nil, noon) }
}

func TestDeletingManyWorksIsLinear(t *testing.T) { growth.Linear(t, planDeletedWorks) }

func BenchmarkDeletingManyWorks(b *testing.B) { growth.Benchmark(b, planDeletedWorks) }

func TestWorkKeepsItsFinalizerWhileOneOfItsWorkPlacementsStays(t *testing.T) {
	said, now := deletedWorks(3)
	said.Placements[1].State = report.Failed
	released := map[string]bool{}
	for _, change := range Plan(said, now, Manage, nil, noon)[1] {
		for _, step := range change.Steps {
			released[change.Object.GetName()] = step.Verb == Patch // a Work that stays gets a patch of its status
		}
	}
	if !released["w000000"] || released["w000001"] || !released["w000002"] {
		t.Errorf("released %v, want all but w000001", released)
	}
}
