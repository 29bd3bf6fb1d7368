package worker_test

import (
	"context"
	"fmt"
	"time"

	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
	"github.com/kratix-schedule/kratix-schedule/statestore/worker"
)

type slowStore struct{ statestore.Store }

func (s slowStore) Read(ctx context.Context) (statestore.State, error) {
	time.Sleep(50 * time.Millisecond)
	return s.Store.Read(ctx)
}

// The read takes longer than Patience, so it continues in the background.
func ExampleWorkers() {
	done := make(chan struct{}, 1)
	workers := &worker.Workers{
		Patience: time.Millisecond, FirstPause: time.Second, LongestPause: time.Minute,
		Wake: func() {
			select {
			case done <- struct{}{}:
			default:
			}
		},
	}
	view := workers.Wrap(statestore.ViewOf("default", slowStore{memory.New("default")}))
	_, err := view.Read(context.Background())
	fmt.Println(err)
	<-done
	_, err = view.Read(context.Background())
	fmt.Println(err)
	// Output:
	// read default: the store is unavailable: it has not answered yet
	// <nil>
}
