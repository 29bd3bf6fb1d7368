package reconcile

import (
	"cmp"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

type desired struct {
	*storeView
	outcomes []*outcome
	// leaving means that the changes move a placement from the directory of another Destination. The
	// changes must then be in one commit.
	leaving bool
	// failed is the reason why nothing can be written to the store in this round.
	failed error
}

func (d *desired) units() []unitChange {
	var units []unitChange
	for _, o := range d.outcomes {
		units = append(units, o.units...)
	}
	return units
}

func (d *desired) suspects() []suspect {
	units := d.units()
	suspects := make([]suspect, 0, len(units))
	for i := range units {
		suspects = append(suspects, units[i].suspect())
	}
	return suspects
}

func (d *desired) diff() (statestore.ChangeSet, error) {
	all := statestore.ChangeSet{Base: d.state.Revision}
	for _, o := range d.outcomes {
		files, err := o.changes.files(d.state.Contents)
		if err != nil {
			return all, err
		}
		all.Write = append(all.Write, files...)
		all.Remove = append(all.Remove, o.changes.Remove...)
		all.Unfinished = append(all.Unfinished, o.changes.Unfinished...)
		all.Placements = append(all.Placements, o.changes.Placements...)
	}
	// A later round removes unfinished files outside of every Destination.
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
	return all, nil
}
