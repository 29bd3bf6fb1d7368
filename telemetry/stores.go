package telemetry

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/trace"

	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Opener gives the store that a Destination names.
type Opener interface {
	Open(ref kratix.StateStoreReference, spec kratix.Object, secret *kratix.Secret) (statestore.Store, error)
}

// Stores opens the stores that another Opener gives, and has an Observer look at
// what is done to them.
type Stores struct {
	next     Opener
	observer *Observer
}

// Stores gives the stores of next such that they are measured and traced.
func (o *Observer) Stores(next Opener) *Stores { return &Stores{next: next, observer: o} }

// Open opens a store. What it gives is equal (==) as long as next gives the same
// store.
func (s *Stores) Open(ref kratix.StateStoreReference, spec kratix.Object, secret *kratix.Secret) (statestore.Store, error) {
	store, err := s.next.Open(ref, spec, secret)
	s.observer.metrics.stores.opened(ref.String(), err)
	if store == nil || err != nil {
		return store, err
	}
	return observedStore{next: store, name: ref.String(), observer: s.observer}, nil
}

// observedStore is a store at which an Observer looks.
type observedStore struct {
	next     statestore.Store
	name     string
	observer *Observer
}

var _ statestore.Store = observedStore{}

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
	metrics := s.observer.metrics.stores
	if changes.Empty() {
		metrics.waits(s.name, 0)
		return s.next.Apply(ctx, changes)
	}
	metrics.waits(s.name, len(changes.Placements))
	began := s.observer.now()
	ctx, span := s.start(ctx, opWrite)
	revision, err := s.next.Apply(ctx, changes)
	if errors.Is(err, statestore.ErrPending) { // it waits, and has not failed
		span.End()
		return revision, err
	}
	metrics.did(s.name, opWrite, s.observer.now().Sub(began), err)
	if err == nil {
		metrics.waits(s.name, 0)
		metrics.wrote(s.name, changes)
	}
	span.SetAttributes(
		attributeRevision.String(string(revision)), attributePlacements.Int(len(changes.Placements)),
		attributeWritten.Int(len(changes.Write)), attributeRemoved.Int(len(changes.Remove)), attributeBytes.Int(size(changes)),
	)
	end(span, err)
	return revision, err
}

func (s observedStore) start(ctx context.Context, operation string) (context.Context, trace.Span) {
	return s.observer.tracer.Start(ctx, operation, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attributeStore.String(s.name)))
}
