package reconcile

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// maxWrite is the maximum number of bytes that are written at once to several Destinations, because
// a store holds several copies in memory.
const maxWrite = 8 << 20

type committer struct {
	finish   Finish
	refusals *refusals
	fights   *fights
	now      time.Time
	// inUse are the revisions that agents have applied last, by the name of the Destination.
	inUse map[string][]statestore.Revision
	// desired computes the desired content of a store without the excluded units.
	desired func(*storeView, exclusions) *desired
}

type result struct {
	*desired
	statestore.Outcome
}

// write writes the changes of each store. stale is the error of a store that has changed in the
// meantime. failed joins the errors of failed writes.
func (c *committer) write(ctx context.Context, stores []*desired) (results []result, stale, failed error) {
	writers := make([]*writer, 0, len(stores))
	for _, store := range stores {
		writers = append(writers, newWriter(store, c.refusals.of(store.storeView), c.now, c.desired))
	}
	for {
		var parts []statestore.StoreChanges
		var at []*writer
		for _, w := range writers {
			if changes, more := w.next(); more {
				for _, d := range w.full.destinations {
					changes.InUse = append(changes.InUse, c.inUse[d.Name]...)
				}
				parts, at = append(parts, statestore.StoreChanges{Store: w.full.Store, Changes: changes}), append(at, w)
			}
		}
		if len(parts) == 0 {
			break
		}
		outcomes := c.finish(ctx, parts)
		failed = errors.Join(failed, failures(outcomes))
		for i, outcome := range outcomes {
			if errors.Is(outcome.Err, statestore.ErrStale) {
				stale = outcome.Err
			}
			c.fights.wrote(at[i].current, outcome)
			at[i].take(&parts[i].Changes, outcome)
		}
	}
	for _, w := range writers {
		results = append(results, w.results()...)
	}
	return results, stale, failed
}

// cut returns the Destinations that may be written at once, and the rest, which may be nil.
func (d *desired) cut() (piece, rest *desired) {
	size := 0
	for i, o := range d.outcomes {
		before := size
		size += o.changes.size
		if before > 0 && size > maxWrite && len(d.state.Unfinished) == 0 && !d.leaving {
			return d.part(0, i), d.part(i, len(d.outcomes))
		}
	}
	return d, nil
}

func (d *desired) part(from, to int) *desired {
	view := *d.storeView
	view.destinations = view.destinations[from:to:to]
	return &desired{storeView: &view, outcomes: d.outcomes[from:to:to], failed: d.failed}
}

func (d *desired) none() *desired {
	view := *d.storeView
	view.destinations = nil
	return &desired{storeView: &view, failed: d.failed}
}

// add adds a Destination with its outcome. d must be a result of the method none.
func (d *desired) add(view *destinationView, o *outcome) {
	d.destinations, d.outcomes = append(d.destinations, view), append(d.outcomes, o)
}

func (d *desired) has(name string) bool {
	return slices.ContainsFunc(d.destinations, func(view *destinationView) bool { return view.Name == name })
}

func (d *desired) only(names map[string]bool) *storeView {
	view := *d.storeView
	view.destinations = slices.DeleteFunc(slices.Clone(view.destinations), func(v *destinationView) bool { return !names[v.Name] })
	return &view
}

func (d *desired) of(units []suspect) *storeView {
	names := map[string]bool{}
	for _, one := range units {
		names[one.destination] = true
	}
	return d.only(names)
}
