package reconcile

import (
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

// excludeForeignOwned excludes the Destinations where another controller has recorded placements,
// unless Policy.Adopt is set.
func excludeForeignOwned(o *observed, store *storeView, policy Policy) {
	if policy.Adopt {
		return
	}
	store.destinations = slices.DeleteFunc(store.destinations, func(d *destinationView) bool {
		other := slices.IndexFunc(d.owners, func(owner string) bool { return !policy.owns(owner) })
		if other < 0 {
			return false
		}
		o.leftOut = append(o.leftOut, scheduler.Destination{Destination: d.Destination, Store: scheduler.StoreUnread})
		o.findings = append(o.findings, finding.Finding{
			Rule: finding.OtherOwner(), Place: o.Origins.Of(d.Destination),
			Message: fmt.Sprintf("placements in its directory %q of %s are recorded by owner %q, and this is %s", d.base, store.ref, d.owners[other], named(policy.Owner)),
		})
		return true
	})
}
