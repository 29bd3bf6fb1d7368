package source

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// Add adds a Work that was not read from YAML. If the snapshot already has the Work, Add adds a
// finding instead.
func (s *Snapshot) Add(work *kratix.Work, at finding.Place) {
	at.Object = kratix.Describe(work)
	i, found := slices.BinarySearchFunc(s.Works, work, Compare)
	if found {
		s.Findings = append(slices.Clip(s.Findings), finding.Finding{
			Rule: finding.RepeatedObject(), Place: at, Message: at.Object + " is in the input twice; the first one counts",
			Related: []finding.Related{{Place: s.Origins.Of(s.Works[i]), Message: "the first one"}},
		})
		return
	}
	s.Works = slices.Insert(slices.Clip(s.Works), i, work)
	s.Origins = s.Origins.With(work, at)
}
