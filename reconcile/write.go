package reconcile

import (
	"context"
	"errors"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// maxWrite is how many bytes of files are written at once, if they are of more
// than one Destination: a store has them in memory several times over.
const maxWrite = 8 << 20

// write has the changes of each store written, and tells of them. What is too
// much for one write is written in several, each with all that changes on some
// Destinations. stale is of a store that has moved on, failed all that went
// wrong.
func (r *Reconciler) write(ctx context.Context, stores []*desired, out *reporter) (stale, failed error) {
	for len(stores) > 0 {
		var pieces, rests []*desired
		var parts []statestore.Part
		for _, store := range stores {
			piece, rest := store.cut()
			pieces, rests = append(pieces, piece), append(rests, rest)
			parts = append(parts, statestore.Part{Store: store.Store, Changes: piece.diff()})
		}
		outcomes := r.Finish(ctx, parts)
		failed = errors.Join(failed, failures(outcomes))
		whole := stores
		stores = nil
		for i, outcome := range outcomes {
			if errors.Is(outcome.Err, statestore.ErrStale) {
				stale = outcome.Err
			}
			r.memo.fights.wrote(pieces[i], outcome)
			switch {
			case outcome.Err != nil:
				out.finished(whole[i], outcome) // what comes after waits for it
				continue
			case rests[i] != nil:
				rests[i].state.Revision = outcome.Revision
				stores = append(stores, rests[i])
			}
			out.finished(pieces[i], outcome)
		}
	}
	return stale, failed
}

// cut splits off what may be written at once; the rest is nil when that is all.
// What an earlier write has left unfinished is settled in one.
func (d *desired) cut() (piece, rest *desired) {
	size := 0
	for i, o := range d.outcomes {
		before := size
		for _, file := range o.changes.Write {
			size += len(file.Content)
		}
		if before > 0 && size > maxWrite && len(d.state.Unfinished) == 0 && !d.hasLeaving() {
			return d.part(0, i), d.part(i, len(d.outcomes))
		}
	}
	return d, nil
}

// part gives some of the Destinations of a store.
func (d *desired) part(from, to int) *desired {
	view := *d.storeView
	view.destinations = view.destinations[from:to:to]
	return &desired{storeView: &view, outcomes: d.outcomes[from:to:to], failed: d.failed}
}
