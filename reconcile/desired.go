package reconcile

import (
	"cmp"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// desired is what a store should hold after the round.
type desired struct {
	*storeView
	outcomes []*outcome
	// failed is why nothing can be written now.
	failed error
}

// units returns what the changes of some Destinations are about: what is no
// placement first, then removals, since those are least likely to be refused.
func (d *desired) units() []unitChange {
	var units []unitChange
	for _, o := range d.outcomes {
		units = append(units, o.units...)
	}
	return units
}

// suspects returns the units with their contents.
func (d *desired) suspects() []suspect {
	units := d.units()
	suspects := make([]suspect, 0, len(units))
	for i := range units {
		suspects = append(suspects, units[i].suspect())
	}
	return suspects
}

// diff returns the changes that make a store what it should be.
func (d *desired) diff() statestore.ChangeSet {
	all := statestore.ChangeSet{Base: d.state.Revision}
	for _, o := range d.outcomes {
		all.Write = append(all.Write, o.changes.Write...)
		all.Remove = append(all.Remove, o.changes.Remove...)
		all.Unfinished = append(all.Unfinished, o.changes.Unfinished...)
		all.Placements = append(all.Placements, o.changes.Placements...)
	}
	// What lies outside of every Destination is for a later round to decide.
	for _, path := range d.state.Unfinished {
		if !slices.ContainsFunc(d.destinations, func(v *destinationView) bool { return path.Within(v.base) }) {
			all.Unfinished = append(all.Unfinished, path)
		}
	}
	tree.SortFiles(all.Write)
	slices.SortFunc(all.Remove, tree.Compare)
	slices.SortStableFunc(all.Placements, func(a, b statestore.PlacementChange) int {
		return cmp.Or(cmp.Compare(a.Destination, b.Destination), cmp.Compare(a.Work, b.Work))
	})
	return all
}
