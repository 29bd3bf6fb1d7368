package daemon

import (
	"context"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// ReadAhead begins to read the stores of an incomplete input, so that they are read at the same time
// as the rest of the input. The next round gets the states. It must not be called while a round opens
// stores; a Source may call it within Snapshot.
func (d *Daemon) ReadAhead(ctx context.Context, stores source.Snapshot) {
	ctx = statestore.JointReads(ctx)
	for _, ref := range reconcile.OpenStores(stores, d.stores) {
		d.stores.readAhead(ctx, ref)
	}
}

func (s *workerStores) readAhead(ctx context.Context, ref kratix.StateStoreReference) {
	s.mu.Lock()
	view, ok := s.open[ref]
	s.mu.Unlock()
	if ok {
		s.workers.ReadAhead(ctx, view)
	}
}
