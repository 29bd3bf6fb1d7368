package reconcile

import (
	"fmt"

	"github.com/kratix-schedule/kratix-schedule/finding"
	"github.com/kratix-schedule/kratix-schedule/kratix"
)

// largeWork is the size in bytes from which a Work is told to be large.
const largeWork = 1 << 20

// largeWorks tells of Works that are near etcd's limit.
func largeWorks(w *world) []finding.Finding {
	var findings []finding.Finding
	for _, work := range w.Works {
		size := 0
		for _, group := range work.Spec.WorkloadGroups {
			for _, workload := range group.Workloads {
				size += len(workload.Content)
			}
		}
		if size > largeWork {
			at := w.Origins.Of(work)
			at.Object = kratix.Describe(work)
			findings = append(findings, finding.Finding{
				Rule: finding.LargeWork(), Place: at,
				Message: fmt.Sprintf("its files take %.1f MiB, packed", float64(size)/(1<<20)),
			})
		}
	}
	return findings
}
