package reconcile

import (
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// clashes are the choices of a Destination that were tried in this round and
// would clash there.
type clashes map[choice]bool

// choice is a group on a Destination.
type choice struct {
	work               *kratix.Work
	group, destination string
}

// has reports whether a choice was tried and would clash.
func (c clashes) has(work *kratix.Work, group *kratix.WorkloadGroup, destination string) bool {
	return c[choice{work, group.ID, destination}]
}

// learn adds the new placements that are held back, where the scheduler could
// have chosen otherwise. It reports whether there are any: then it is worth to
// plan again.
func (c clashes) learn(stores []*desired) bool {
	before := len(c)
	for _, store := range stores {
		for _, o := range store.outcomes {
			for _, tried := range o.clashing {
				c[tried] = true
			}
		}
	}
	return len(c) > before
}

// hold keeps a placement from being written because of a clash.
func (p *desiredPlacement) hold(why string) { p.state, p.reason, p.clashes = report.Held, why, true }
