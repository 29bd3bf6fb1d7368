package worker

import (
	"context"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// location is a Location that reads and writes another one through workers, with one worker for
// each view.
type location struct {
	inner   statestore.Location
	workers *Workers
}

var _ statestore.Location = location{}

func (l location) worker(view statestore.View) *worker { return l.workers.of(view.Through(l.inner)) }

func (l location) Read(ctx context.Context, view statestore.View) (statestore.State, error) {
	return l.worker(view).readState(ctx)
}

// Write writes to several stores at once. If a write takes longer than Patience, or if an earlier
// operation of the store is still in progress, the outcome is ErrPending.
func (l location) Write(ctx context.Context, parts []statestore.ViewChanges) []statestore.Outcome {
	outcomes := make([]statestore.Outcome, len(parts))
	var begun []*begunWrite
	for i, part := range parts {
		if part.Changes.Empty() {
			outcomes[i].Revision = part.Changes.Base
			continue
		}
		w := l.worker(part.View)
		op, err := w.beginWrite(ctx, part.Changes)
		if err != nil {
			outcomes[i].Err = err
			continue
		}
		begun = append(begun, &begunWrite{worker: w, op: op, at: i})
	}
	if len(begun) == 0 {
		return outcomes
	}
	l.workers.start(ctx, begun[0].op, func(ctx context.Context) { l.write(ctx, begun) })
	patience := l.workers.Patience
	for _, b := range begun {
		if !b.worker.await(ctx, b.op, patience) {
			outcomes[b.at].Err = b.worker.busy("write", statestore.ErrPending, "it takes long")
			patience = 0 // all writes end together, so waiting longer for the others is useless
			continue
		}
		outcomes[b.at] = statestore.Outcome{Revision: b.op.revision, Err: b.op.err}
	}
	return outcomes
}

type begunWrite struct {
	worker *worker
	op     *operation
	at     int
}

func (l location) write(ctx context.Context, begun []*begunWrite) {
	parts := make([]statestore.ViewChanges, 0, len(begun))
	for _, b := range begun {
		parts = append(parts, statestore.ViewChanges{View: b.worker.view, Changes: *b.op.changes})
	}
	for i, outcome := range l.inner.Write(ctx, parts) {
		begun[i].op.revision, begun[i].op.err = outcome.Revision, outcome.Err
		begun[i].worker.end(begun[i].op)
	}
}
