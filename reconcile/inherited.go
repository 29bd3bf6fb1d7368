package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

type placementSet map[*kratix.WorkPlacement]bool

func (o *observed) inherited() []*formerPlacement {
	var found []*formerPlacement
	for _, f := range o.former {
		if f.at != nil && slices.ContainsFunc(f.store.destinations, func(d *destinationView) bool { return d == f.at }) {
			found = append(found, f)
		}
	}
	return found
}
