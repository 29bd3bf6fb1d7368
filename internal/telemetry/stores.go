package telemetry

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Stores is an Opener whose stores are observed.
type Stores struct {
	next     statestore.Opener
	observer *Observer
}

// Stores returns an Opener that measures and traces the stores of next.
func (o *Observer) Stores(next statestore.Opener) *Stores { return &Stores{next: next, observer: o} }

var (
	_ statestore.Opener = (*Stores)(nil)
	_ statestore.Keeper = (*Stores)(nil)
)

// Open opens a store of the next Opener. The results of two calls are equal if next returns the
// same store.
func (s *Stores) Open(ref kratix.StateStoreReference, spec kratix.Object, secret *kratix.Secret) (statestore.Store, error) {
	store, err := s.next.Open(ref, spec, secret)
	s.observer.metrics.stores.opened(ref.String(), err)
	if store == nil || err != nil {
		return store, err
	}
	view := statestore.ViewOf(ref.String(), store)
	return view.Through(observedLocation{next: view.Location, observer: s.observer}), nil
}

// Keep makes the next Opener close the stores that are not among refs.
func (s *Stores) Keep(refs []kratix.StateStoreReference) { statestore.Keep(s.next, refs) }

// Resting records the number of consecutive failures of a store and the pause until the next
// attempt. Both are zero if the store works.
func (o *Observer) Resting(store string, failures int, pause time.Duration) {
	var next time.Time
	if failures > 0 {
		next = o.now().Add(pause)
	}
	o.metrics.stores.setFailures(store, failures, next)
}

// Committed records how long the oldest change in a commit has waited.
func (o *Observer) Committed(store string, waited time.Duration) {
	o.metrics.stores.waits.WithLabelValues(store).Observe(waited.Seconds())
}

// Waiting records the number of placements that wait for the next commit of a store, and its time.
// Both are zero if none waits.
func (o *Observer) Waiting(store string, placements int, next time.Time) {
	o.metrics.stores.setThrottled(store, placements, next)
}

// observedLocation is a location whose operations are observed.
type observedLocation struct {
	next     statestore.Location
	observer *Observer
}

var _ statestore.Location = observedLocation{}

func (l observedLocation) Read(ctx context.Context, view statestore.View) (statestore.State, error) {
	began := l.observer.now()
	ctx, span := l.start(ctx, view, opRead)
	state, err := l.next.Read(ctx, view)
	l.observer.metrics.stores.did(view.Name, opRead, l.observer.now().Sub(began), err)
	span.SetAttributes(attributeRevision.String(string(state.Revision)), attributeFiles.Int(state.Files.Len()))
	end(span, err)
	return state, err
}

// Write writes the changes, with a span for each store.
func (l observedLocation) Write(ctx context.Context, parts []statestore.ViewChanges) []statestore.Outcome {
	within := ctx
	done := make([]func(statestore.Outcome), 0, len(parts))
	for _, part := range parts {
		inner, end := l.write(ctx, part)
		if len(parts) == 1 {
			within = inner
		}
		done = append(done, end)
	}
	outcomes := l.next.Write(within, parts)
	l.observer.metrics.stores.addCommits(parts, outcomes)
	for i, outcome := range outcomes {
		done[i](outcome)
	}
	return outcomes
}

func (l observedLocation) write(ctx context.Context, part statestore.ViewChanges) (inner context.Context, done func(statestore.Outcome)) {
	metrics, name, changes := l.observer.metrics.stores, part.View.Name, part.Changes
	if changes.Empty() {
		metrics.setPending(name, 0)
		return ctx, func(statestore.Outcome) {}
	}
	metrics.setPending(name, len(changes.Placements))
	began := l.observer.now()
	inner, span := l.start(ctx, part.View, opWrite)
	return inner, func(outcome statestore.Outcome) {
		if errors.Is(outcome.Err, statestore.ErrPending) { // a pending write has not failed
			span.End()
			return
		}
		metrics.did(name, opWrite, l.observer.now().Sub(began), outcome.Err)
		if outcome.Err == nil {
			metrics.setPending(name, 0)
			metrics.addWrite(name, changes)
		}
		span.SetAttributes(
			attributeRevision.String(string(outcome.Revision)), attributePlacements.Int(len(changes.Placements)),
			attributeWritten.Int(len(changes.Write)), attributeRemoved.Int(len(changes.Remove)), attributeBytes.Int(size(changes)),
		)
		end(span, outcome.Err)
	}
}

func (l observedLocation) start(ctx context.Context, view statestore.View, operation string) (context.Context, trace.Span) {
	return l.observer.tracer.Start(ctx, operation, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attributeStore.String(view.Name)))
}
