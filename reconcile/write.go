package reconcile

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// maxWrite is how many bytes of files are written at once, if they are of more
// than one Destination: a store has them in memory several times over.
const maxWrite = 8 << 20

// committer writes what a round changes.
type committer struct {
	finish   Finish
	refusals *refusals
	fights   *fights
	now      time.Time
	// desire computes what some Destinations of a store should hold without what is
	// excluded.
	desire func(*storeView, exclusions) *desired
}

// result is what became of some Destinations of a store.
type result struct {
	*desired
	statestore.Outcome
}

// write has the changes of each store written, and returns what became of them. What is
// too much for one write is written in several, each with all that changes on some
// Destinations; so is what a server refuses for its content. stale is the error of a
// store that has moved on, failed all that went wrong.
func (c *committer) write(ctx context.Context, stores []*desired) (results []result, stale, failed error) {
	writers := make([]*writer, 0, len(stores))
	for _, store := range stores {
		writers = append(writers, newWriter(store, c.refusals.of(store.storeView), c.now, c.desire))
	}
	for {
		var parts []statestore.Part
		var at []*writer
		for _, w := range writers {
			if changes, more := w.next(); more {
				parts, at = append(parts, statestore.Part{Store: w.full.Store, Changes: changes}), append(at, w)
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

// cut splits off what may be written at once; the rest is nil when that is all.
// What an earlier write has left unfinished is finished in one.
func (d *desired) cut() (piece, rest *desired) {
	size := 0
	for i, o := range d.outcomes {
		before := size
		for _, file := range o.changes.Write {
			size += len(file.Content)
		}
		if before > 0 && size > maxWrite && len(d.state.Unfinished) == 0 && !d.leaving {
			return d.part(0, i), d.part(i, len(d.outcomes))
		}
	}
	return d, nil
}

// part returns some of the Destinations of a store.
func (d *desired) part(from, to int) *desired {
	view := *d.storeView
	view.destinations = view.destinations[from:to:to]
	return &desired{storeView: &view, outcomes: d.outcomes[from:to:to], failed: d.failed}
}

// none returns the store without Destinations.
func (d *desired) none() *desired {
	view := *d.storeView
	view.destinations = nil
	return &desired{storeView: &view, failed: d.failed}
}

// add adds a Destination to what none has returned.
func (d *desired) add(view *destinationView, o *outcome) {
	d.destinations, d.outcomes = append(d.destinations, view), append(d.outcomes, o)
}

// has reports whether a Destination is among those of d.
func (d *desired) has(name string) bool {
	return slices.ContainsFunc(d.destinations, func(view *destinationView) bool { return view.Name == name })
}

// only returns the store with some of its Destinations.
func (d *desired) only(names map[string]bool) *storeView {
	view := *d.storeView
	view.destinations = slices.DeleteFunc(slices.Clone(view.destinations), func(v *destinationView) bool { return !names[v.Name] })
	return &view
}

// of returns the store with the Destinations of some units.
func (d *desired) of(units []suspect) *storeView {
	names := map[string]bool{}
	for _, one := range units {
		names[one.destination] = true
	}
	return d.only(names)
}
