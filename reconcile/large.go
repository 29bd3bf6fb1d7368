package reconcile

import (
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

const largeWork = 1 << 20

// large caches the sizes of the large Works.
type large struct {
	works []*kratix.Work
	sizes map[*kratix.Work]int
}

func (l *large) update(works []*kratix.Work) {
	gone, come := l.works, works
	for len(gone) > 0 && len(come) > 0 && gone[0] == come[0] {
		gone, come = gone[1:], come[1:]
	}
	for len(gone) > 0 && len(come) > 0 && gone[len(gone)-1] == come[len(come)-1] {
		gone, come = gone[:len(gone)-1], come[:len(come)-1]
	}
	if l.sizes == nil {
		l.sizes = map[*kratix.Work]int{}
	}
	for _, work := range gone {
		delete(l.sizes, work)
	}
	for _, work := range come {
		size := 0
		for _, group := range work.Spec.WorkloadGroups {
			for _, workload := range group.Workloads {
				size += len(workload.Content)
			}
		}
		if size > largeWork {
			l.sizes[work] = size
		}
	}
	l.works = works
}

func largeWorks(w *observed, known *large) []finding.Finding {
	known.update(w.Works)
	var findings []finding.Finding
	for work, size := range known.sizes {
		at := w.Origins.Of(work)
		at.Object = kratix.Describe(work)
		findings = append(findings, finding.Finding{
			Rule: finding.LargeWork(), Place: at,
			Message: fmt.Sprintf("its files take %.1f MiB, packed", float64(size)/(1<<20)),
		})
	}
	finding.Sort(findings)
	return slices.CompactFunc(findings, func(a, b finding.Finding) bool { return a.Place == b.Place && a.Message == b.Message })
}
