package worker

import (
	"context"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

var _ statestore.Joiner = (*Store)(nil)

// Joins reports whether the stores behind both can be written at once.
func (s *Store) Joins(other statestore.Store) bool {
	o, ok := other.(*Store)
	inner, can := s.inner.(statestore.Joiner)
	return ok && can && inner.Joins(o.inner)
}

// ApplyAll writes several stores at once. What takes long goes on, and is
// ErrPending for now; a store that has an earlier write in hand has to wait.
func (s *Store) ApplyAll(ctx context.Context, parts []statestore.Part) []statestore.Outcome {
	outcomes := make([]statestore.Outcome, len(parts))
	var together []*joined
	for i, part := range parts {
		store, ok := part.Store.(*Store)
		if !ok || !s.Joins(store) {
			outcomes[i].Revision, outcomes[i].Err = part.Store.Apply(ctx, part.Changes)
			continue
		}
		if op := store.takeWrite(part.Changes); op != nil {
			together = append(together, &joined{store: store, op: op, at: i})
		} else {
			outcomes[i].Err = store.busy("write", statestore.ErrPending, "an earlier write is in hand")
		}
	}
	if len(together) == 0 {
		return outcomes
	}
	s.workers.start(ctx, together[0].op, func(ctx context.Context) { applyAll(ctx, together) })
	patience := s.workers.Patience
	for _, j := range together {
		if !j.store.await(ctx, j.op, patience) {
			outcomes[j.at].Err = j.store.busy("write", statestore.ErrPending, "it takes long")
			patience = 0 // all end at once
			continue
		}
		outcomes[j.at] = statestore.Outcome{Revision: j.op.revision, Err: j.op.err}
	}
	return outcomes
}

// joined is one of several stores that are written at once.
type joined struct {
	store *Store
	op    *operation
	at    int
}

// takeWrite takes a write in hand that someone else begins; nil when an earlier
// one is in hand.
func (s *Store) takeWrite(changes statestore.ChangeSet) *operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inHand != nil {
		return nil
	}
	op := &operation{done: make(chan struct{}), changes: &changes}
	s.take(op)
	return op
}

// applyAll writes to the stores behind.
func applyAll(ctx context.Context, together []*joined) {
	parts := make([]statestore.Part, 0, len(together))
	for _, j := range together {
		parts = append(parts, statestore.Part{Store: j.store.inner, Changes: *j.op.changes})
	}
	first, _ := parts[0].Store.(statestore.Joiner) // Joins reported that it is one
	for i, outcome := range first.ApplyAll(ctx, parts) {
		together[i].op.revision, together[i].op.err = outcome.Revision, outcome.Err
		together[i].store.end(together[i].op)
	}
}
