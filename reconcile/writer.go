package reconcile

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// writer writes the changes of a round in one store, one ChangeSet after another. If the server
// refuses some units, it continues with the trials of a search. Each ChangeSet is computed from the
// state that the round has read.
type writer struct {
	desired  func(view *storeView, excluded exclusions) *desired
	now      time.Time
	refusals *refusedStore
	// full is the desired content of the store if the server refuses nothing new.
	full *desired
	base statestore.Revision
	// rest is the content to write before a search. after is the part of rest that follows current.
	rest, after *desired
	// current is the content that is being written. trial are the units in current that a search
	// tries.
	current *desired
	trial   []suspect
	// searched are the Destinations that a search has tried. written are the written outcomes by
	// Destination.
	searched map[string]bool
	written  map[string]*outcome
	// refused is the last refused ChangeSet, if nothing was accepted since then.
	refused *statestore.ChangeSet
	closing bool
	over    bool
	err     error
}

func newWriter(full *desired, memory *refusedStore, now time.Time, desire func(*storeView, exclusions) *desired) *writer {
	w := &writer{
		desired: desire, now: now, refusals: memory, full: full, base: full.state.Revision, rest: full,
		searched: map[string]bool{}, written: map[string]*outcome{},
	}
	memory.sync(full, now)
	switch {
	case memory.always != nil && !full.state.WriteInProgress && len(full.units()) > 0:
		w.probe()
	case !memory.search.isOver():
		w.about(memory.search.all())
		w.rest = desire(full.storeView, memory.excluded(memory.inProgress))
	}
	return w
}

func (w *writer) about(units []suspect) {
	for _, one := range units {
		w.searched[one.destination] = true
	}
}

// probe limits the round to one unit, because the server refuses everything.
func (w *writer) probe() {
	units := w.full.suspects()
	isNew := func(one suspect) bool { return !w.refusals.probed[one] }
	if !slices.ContainsFunc(units, isNew) {
		clear(w.refusals.probed)
	}
	next := slices.IndexFunc(units, func(one suspect) bool { return isNew(one) && !w.refusals.since[one.unit] })
	if next < 0 {
		next = slices.IndexFunc(units, isNew)
	}
	w.refusals.probed[units[next]] = true
	w.about(units)
	w.refusals.search.untried = slices.Delete(units, next, next+1)
	w.rest = w.desired(w.full.storeView, w.refusals.excluded(nil))
}

func (w *writer) next() (statestore.ChangeSet, bool) {
	if w.over {
		return statestore.ChangeSet{}, false
	}
	if w.rest != nil {
		w.current, w.after = w.rest.cut()
		return w.changes()
	}
	for !w.full.state.WriteInProgress && w.refusals.trials < maxTrials {
		w.trial = w.refusals.search.next()
		if w.trial == nil {
			break
		}
		w.about(w.trial)
		if changes, ok := w.try(); ok {
			w.refusals.trials++
			return changes, true
		}
		if w.over {
			return statestore.ChangeSet{}, false
		}
	}
	return w.close()
}

// try computes the changes of a trial. It returns false if there is nothing to write.
func (w *writer) try() (statestore.ChangeSet, bool) {
	w.current = w.desired(w.full.of(w.trial), w.refusals.excluded(w.trial))
	changes, ok := w.changes()
	switch {
	case !ok:
	case w.current.failed != nil:
		w.err, w.over = w.current.failed, true
	case w.isWritten(w.current):
		w.refusals.find(w.refusals.search.empty(), w.refusals.why, w.now)
	case w.refused != nil && sameChanges(changes, *w.refused):
		w.refusals.answer(w.trial, w.current.units(), w.refusals.why, w.now)
	default:
		return changes, true
	}
	return statestore.ChangeSet{}, false
}

// close returns the changes to write at the end of a search, if there are any.
func (w *writer) close() (statestore.ChangeSet, bool) {
	w.trial = nil
	if w.closing || len(w.searched) == 0 || w.refusals.always != nil || w.full.state.WriteInProgress {
		w.over = true
		return statestore.ChangeSet{}, false
	}
	w.current, w.closing = w.desired(w.full.only(w.searched), w.refusals.excluded(nil)), true
	if w.err = w.current.failed; w.err != nil || w.isWritten(w.current) {
		w.over = true
		return statestore.ChangeSet{}, false
	}
	return w.changes()
}

// changes returns the changes to write. It returns false if they cannot be computed.
func (w *writer) changes() (statestore.ChangeSet, bool) {
	changes, err := w.current.diff()
	if err != nil {
		w.err, w.over = err, true
		return statestore.ChangeSet{}, false
	}
	changes.Base, changes.Divisible = w.base, w.refusals.always == nil && !w.closing && !w.full.leaving
	return changes, true
}

func (w *writer) isWritten(d *desired) bool {
	for i, o := range d.outcomes {
		var before fileChanges
		if was := w.written[d.destinations[i].Name]; was != nil {
			before = was.changes
		}
		if !o.changes.same(&before) {
			return false
		}
	}
	return true
}

func sameChanges(a, b statestore.ChangeSet) bool {
	return slices.Equal(a.Remove, b.Remove) && slices.EqualFunc(a.Write, b.Write, func(a, b tree.File) bool {
		return a.Path == b.Path && bytes.Equal(a.Content, b.Content)
	})
}

func (w *writer) take(changes *statestore.ChangeSet, outcome statestore.Outcome) {
	if outcome.Revision != "" {
		w.base = outcome.Revision
	}
	switch {
	case outcome.Err == nil:
		w.accept(changes)
	case errors.Is(outcome.Err, statestore.ErrContentRefused) && changes.Divisible && len(w.current.units()) > 0:
		w.refused = changes
		w.refuse(outcome.Err)
	default:
		w.refusals.separateCommits = w.refusals.separateCommits || w.full.leaving && errors.Is(outcome.Err, statestore.ErrContentRefused)
		w.end(outcome.Err)
		return
	}
	if w.rest != nil {
		w.rest = w.after
	}
	if w.rest != nil {
		w.rest.state.Revision = w.base
	}
}

func (w *writer) accept(changes *statestore.ChangeSet) {
	for i, o := range w.current.outcomes {
		w.written[w.current.destinations[i].Name] = o
	}
	if changes.Empty() {
		return
	}
	w.refusals.accepted(w.now)
	w.refused = nil
	if w.trial == nil {
		return
	}
	tried := slices.Clone(w.trial)
	w.refusals.search.accepted()
	for _, one := range tried {
		w.refusals.retried(one)
	}
}

func (w *writer) refuse(err error) {
	tried := w.trial
	if tried == nil {
		tried = w.current.suspects()
		w.about(tried)
	}
	w.refusals.answer(tried, w.current.units(), err, w.now)
}

// end processes a write that has failed or is still in progress. Later writes are left to a later
// round.
func (w *writer) end(err error) {
	w.err, w.over = err, true
	if w.refusals.always != nil {
		w.refusals.search = search{}
	}
	if !errors.Is(err, statestore.ErrPending) || w.full.state.WriteInProgress {
		return
	}
	w.refusals.inProgress = slices.Clone(w.trial)
	if w.trial == nil {
		w.refusals.inProgress = w.current.suspects()
	}
}

// results returns a result for the written Destinations and, after an error, another result for the
// rest.
func (w *writer) results() (results []result) {
	done, held := w.full.none(), w.full.none()
	final := w.final()
	err := w.err
	if err == nil || w.refusals.always != nil && errors.Is(err, statestore.ErrThrottled) {
		err = w.refusals.always
	}
	for i, d := range w.full.destinations {
		o, written := w.written[d.Name]
		if after := final[d.Name]; after != nil {
			o, written = after, true
		}
		if w.isHeld(d.Name, written) {
			held.add(d, w.latest(i))
			continue
		}
		if o == nil {
			o = w.full.outcomes[i] // the Destination does not change
		}
		done.add(d, o)
	}
	if len(done.outcomes) > 0 || err == nil {
		results = append(results, result{done, statestore.Outcome{Revision: w.base}})
	}
	if err != nil {
		results = append(results, result{held, statestore.Outcome{Err: err}})
	}
	return results
}

func (w *writer) final() map[string]*outcome {
	final := map[string]*outcome{}
	if w.refusals.always == nil && len(w.searched) > 0 {
		d := w.desired(w.full.only(w.searched), w.refusals.excluded(w.refusals.inProgress))
		for i, o := range d.outcomes {
			final[d.destinations[i].Name] = o
		}
	}
	return final
}

func (w *writer) isHeld(destination string, written bool) bool {
	switch {
	case w.refusals.always != nil && w.searched[destination]:
		return true
	case w.err == nil:
		return false
	case w.rest != nil && w.rest.has(destination):
		return true
	}
	return !written || errors.Is(w.err, statestore.ErrPending) && w.current.has(destination)
}

func (w *writer) latest(i int) *outcome {
	name := w.full.destinations[i].Name
	for _, d := range []*desired{w.current, w.rest} {
		if d == nil || w.refusals.always != nil && !errors.Is(w.err, statestore.ErrPending) {
			continue
		}
		for j, view := range d.destinations {
			if view.Name == name {
				return d.outcomes[j]
			}
		}
	}
	return w.full.outcomes[i]
}
