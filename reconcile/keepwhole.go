package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// keepWhole keeps all files of a Destination with a changed layout while a recorded placement
// cannot be written. A Destination with files in both layouts might not build.
func (c *checked) keepWhole() {
	at := slices.IndexFunc(c.candidates, func(p *candidate) bool { return !p.writable() && c.recordOf(&p.placement) != nil })
	if !c.relayout || at < 0 {
		return
	}
	why := c.candidates[at].object() + " cannot be written"
	c.add(finding.Finding{
		Rule: finding.FilepathModeChanged(), Place: finding.Place{Object: kratix.Describe(c.Destination)},
		Message: "its files cannot be moved to the new layout while " + why + "; they are left as they are",
		Fix:     "Correct what holds that placement back.",
	})
	c.fixtures, c.retired, c.removed, c.left = nil, nil, nil, true
	for _, p := range c.candidates {
		if p.writable() {
			p.state, p.reason = report.HeldBack, "the files of the Destination are not moved to the new layout yet: "+why
		}
	}
}
