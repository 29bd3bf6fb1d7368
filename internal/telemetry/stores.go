package telemetry

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Opener opens the store that a Destination names.
type Opener interface {
	Open(ref kratix.StateStoreReference, spec kratix.Object, secret *kratix.Secret) (statestore.Store, error)
}

// Stores opens the stores that another Opener opens, and has an Observer look at
// what is done to them.
type Stores struct {
	next     Opener
	observer *Observer
}

// Stores returns the stores of next such that they are measured and traced.
func (o *Observer) Stores(next Opener) *Stores { return &Stores{next: next, observer: o} }

// Open opens a store. What it returns is equal (==) as long as next returns the same
// store.
func (s *Stores) Open(ref kratix.StateStoreReference, spec kratix.Object, secret *kratix.Secret) (statestore.Store, error) {
	store, err := s.next.Open(ref, spec, secret)
	s.observer.metrics.stores.opened(ref.String(), err)
	if store == nil || err != nil {
		return store, err
	}
	return observedStore{next: store, name: ref.String(), observer: s.observer}, nil
}

// Keep has the next Opener close the stores that are not among refs, if it keeps
// any.
func (s *Stores) Keep(refs []kratix.StateStoreReference) {
	if keeper, ok := s.next.(interface {
		Keep(refs []kratix.StateStoreReference)
	}); ok {
		keeper.Keep(refs)
	}
}

// Resting takes into account that a store has failed so often in a row and is
// left alone for so long; zeros mean that it works.
func (o *Observer) Resting(store string, failures int, pause time.Duration) {
	var next time.Time
	if failures > 0 {
		next = o.now().Add(pause)
	}
	o.metrics.stores.rests(store, failures, next)
}

// observedStore is a store at which an Observer looks.
type observedStore struct {
	next     statestore.Store
	name     string
	observer *Observer
}

var (
	_ statestore.Store  = observedStore{}
	_ statestore.Joiner = observedStore{}
)

// Read reads the store.
func (s observedStore) Read(ctx context.Context) (statestore.State, error) {
	began := s.observer.now()
	ctx, span := s.start(ctx, opRead)
	state, err := s.next.Read(ctx)
	s.observer.metrics.stores.did(s.name, opRead, s.observer.now().Sub(began), err)
	span.SetAttributes(attributeRevision.String(string(state.Revision)), attributeFiles.Int(state.Files.Len()))
	end(span, err)
	return state, err
}

// Apply writes the changes; if there are none there is nothing to observe.
func (s observedStore) Apply(ctx context.Context, changes statestore.ChangeSet) (statestore.Revision, error) {
	if changes.Empty() {
		s.observer.metrics.stores.waits(s.name, 0)
		return s.next.Apply(ctx, changes)
	}
	ctx, done := s.write(ctx, changes)
	revision, err := s.next.Apply(ctx, changes)
	done(statestore.Outcome{Revision: revision, Err: err})
	return revision, err
}

// Joins reports whether the stores that are looked at can be written at once.
func (s observedStore) Joins(other statestore.Store) bool {
	o, ok := other.(observedStore)
	joiner, can := s.next.(statestore.Joiner)
	return ok && can && joiner.Joins(o.next)
}

// ApplyAll writes to several stores at once; each has a span, and each a time
// that is that of all.
func (s observedStore) ApplyAll(ctx context.Context, parts []statestore.Part) []statestore.Outcome {
	joiner, can := s.next.(statestore.Joiner)
	if !can || slices.ContainsFunc(parts, func(part statestore.Part) bool { return !s.Joins(part.Store) }) {
		return applyEach(ctx, parts)
	}
	behind := make([]statestore.Part, 0, len(parts))
	done := make([]func(statestore.Outcome), 0, len(parts))
	for _, part := range parts {
		if store, ok := part.Store.(observedStore); ok { // it joins
			_, end := store.write(ctx, part.Changes)
			behind, done = append(behind, statestore.Part{Store: store.next, Changes: part.Changes}), append(done, end)
		}
	}
	outcomes := joiner.ApplyAll(ctx, behind)
	for i, outcome := range outcomes {
		done[i](outcome)
	}
	return outcomes
}

// applyEach is for who did not ask Joins.
func applyEach(ctx context.Context, parts []statestore.Part) []statestore.Outcome {
	outcomes := make([]statestore.Outcome, len(parts))
	for i, part := range parts {
		outcomes[i].Revision, outcomes[i].Err = part.Store.Apply(ctx, part.Changes)
	}
	return outcomes
}

// write is called when changes begin to be written, and done with what became of
// them.
func (s observedStore) write(ctx context.Context, changes statestore.ChangeSet) (inner context.Context, done func(statestore.Outcome)) {
	metrics := s.observer.metrics.stores
	metrics.waits(s.name, len(changes.Placements))
	began := s.observer.now()
	inner, span := s.start(ctx, opWrite)
	return inner, func(outcome statestore.Outcome) {
		if errors.Is(outcome.Err, statestore.ErrPending) { // it waits, and has not failed
			span.End()
			return
		}
		metrics.did(s.name, opWrite, s.observer.now().Sub(began), outcome.Err)
		if outcome.Err == nil {
			metrics.waits(s.name, 0)
			metrics.wrote(s.name, changes)
		}
		span.SetAttributes(
			attributeRevision.String(string(outcome.Revision)), attributePlacements.Int(len(changes.Placements)),
			attributeWritten.Int(len(changes.Write)), attributeRemoved.Int(len(changes.Remove)), attributeBytes.Int(size(changes)),
		)
		end(span, outcome.Err)
	}
}

func (s observedStore) start(ctx context.Context, operation string) (context.Context, trace.Span) {
	return s.observer.tracer.Start(ctx, operation, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attributeStore.String(s.name)))
}
