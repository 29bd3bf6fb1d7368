package source

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/finding"
	"github.com/kratix-schedule/kratix-schedule/kratix"
)

// Add puts a Work into the snapshot that something else than YAML was made
// into. One of that name which is there already counts.
func (s *Snapshot) Add(work *kratix.Work, at finding.Place) {
	at.Object = kratix.Describe(work)
	i := slices.IndexFunc(s.Works, func(w *kratix.Work) bool { return kratix.KeyOf(w) == kratix.KeyOf(work) })
	if i >= 0 {
		s.Findings = append(s.Findings, finding.Finding{
			Rule: finding.RepeatedObject(), Place: at, Message: at.Object + " is in the input twice; the first one counts",
			Related: []finding.Related{{Place: s.Origins[s.Works[i]], Message: "the first one"}},
		})
		return
	}
	s.Works = append(s.Works, work)
	sortByKey(s.Works)
	if s.Origins == nil {
		s.Origins = map[kratix.Object]finding.Place{}
	}
	s.Origins[work] = at
}
