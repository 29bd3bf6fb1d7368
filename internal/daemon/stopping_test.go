package daemon

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

type stoppedSource struct {
	source.Source
	stop context.CancelFunc
}

func (s stoppedSource) Snapshot(ctx context.Context) (source.Snapshot, error) {
	s.stop()
	return s.Source.Snapshot(ctx)
}

func TestNoWriteBeginsAfterTheDaemonIsStopped(t *testing.T) {
	for name, stops := range map[string]bool{"told to stop": true, "not told to": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBubble(t)
				b.putAndNotify("a", "a")
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				if stops {
					b.daemon.Reconciler.Source = stoppedSource{b, stop}
				}
				told := 0
				b.daemon.WriteStatus = func(context.Context, report.Report) StatusResult {
					told++
					return StatusResult{}
				}
				b.daemon.Reconciler.Stores = b
				b.daemon.assemble(ctx.Done())
				b.daemon.round(ctx, context.WithoutCancel(ctx))
				time.Sleep(time.Minute)
				synctest.Wait()
				if wrote := b.written > 0; wrote == stops || told > 0 == stops {
					t.Errorf("written %d times, told %d times", b.written, told)
				}
			})
		})
	}
}

type slowStore struct {
	statestore.Store
	begun, ended chan struct{}
}

func (s *slowStore) Open(kratix.StateStoreReference, kratix.Object, *kratix.Secret) (statestore.Store, error) {
	return s, nil
}

func (s *slowStore) Apply(context.Context, statestore.ChangeSet) (statestore.Revision, error) {
	close(s.begun)
	<-s.ended
	return "written", nil
}

func TestStartedWriteIsCompleted(t *testing.T) {
	stop := make(chan struct{})
	slow := &slowStore{begun: make(chan struct{}), ended: make(chan struct{})}
	asked := &stopping{stop: stop}
	stores := stoppingStores{slow, asked}
	store, err := stores.Open(kratix.StateStoreReference{}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	written := make(chan statestore.Revision, 1)
	go func() {
		revision, _ := store.Apply(t.Context(), statestore.ChangeSet{})
		written <- revision
	}()
	<-slow.begun
	close(stop)
	if _, err := store.Apply(t.Context(), statestore.ChangeSet{}); err == nil {
		t.Error("a write begins")
	}
	close(slow.ended)
	if revision := <-written; revision != "written" {
		t.Errorf("the write that had begun gives %q", revision)
	}
	again, err := stores.Open(kratix.StateStoreReference{}, nil, nil)
	if err != nil || again != store {
		t.Error("the same store is another one when it is opened again")
	}
	if !asked.met.Load() {
		t.Error("it is not noted that something was refused")
	}
}
