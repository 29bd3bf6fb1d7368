package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

func schedulerInput(o *observed) scheduler.Input {
	in := scheduler.Input{Works: o.Works, Rejected: o.Rejected, RejectedPlacements: o.RejectedPlacements, Incomplete: o.Incomplete, Unseen: o.Unseen, Destinations: slices.Clone(o.leftOut), Existing: slices.Concat(o.unread, o.decided), Copies: o.copies}
	for _, store := range o.stores {
		known := scheduler.StoreRead
		if store.err != nil {
			known = scheduler.StoreUnread
		}
		for _, d := range store.destinations {
			in.Destinations = append(in.Destinations, scheduler.Destination{Destination: d.Destination, Store: known})
			if d.isRemovedWithFiles() {
				continue
			}
			for _, record := range d.records {
				in.Existing = append(in.Existing, record.Placement)
			}
		}
	}
	return in
}

func (p Policy) apply(in scheduler.Input) scheduler.Input {
	in.OnMisplaced, in.Moves = p.OnMisplaced, p.Moves
	return in
}
