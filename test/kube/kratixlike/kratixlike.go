// Package kratixlike is a stand-in for Kratix's scheduler and its writer to state stores, for tests
// of programs that run beside Kratix. It imitates the observed behaviour of Kratix, including its
// faults.
package kratixlike

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/rest"
)

// Options are the parameters of a stand-in.
type Options struct {
	// WriteDelay is the time between reading a WorkPlacement and writing or removing its files.
	WriteDelay time.Duration
	// Writers is the number of WorkPlacements that are written concurrently, 1 by default.
	Writers int
	// Choose returns an index below n. By default the index is random.
	Choose func(n int) int
	// Log receives errors, and a line for each write. By default they are discarded.
	Log *slog.Logger
}

// Running is a started stand-in.
type Running struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// Run runs the stand-in until the context ends.
func Run(ctx context.Context, config *rest.Config, options Options) error {
	running, err := Start(ctx, config, options)
	if err != nil {
		return err
	}
	<-running.done
	return nil
}

// Start starts the stand-in, and returns after the stand-in has listed the objects of the cluster.
// The stand-in ends with the context or with Stop.
func Start(ctx context.Context, config *rest.Config, options Options) (*Running, error) {
	ctx, cancel := context.WithCancel(ctx)
	dir, err := os.MkdirTemp("", "kratixlike-")
	if err != nil {
		cancel()
		return nil, err
	}
	m, err := newManager(config, options, dir)
	if err != nil {
		cancel()
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	running := &Running{cancel: cancel, done: make(chan struct{})}
	synced := make(chan error, 1)
	go func() {
		defer close(running.done)
		defer os.RemoveAll(dir) //nolint:errcheck // a directory of temporary files
		m.run(ctx, synced)
	}()
	if err := <-synced; err != nil {
		running.Stop()
		return nil, err
	}
	return running, nil
}

// Stop stops the stand-in, and waits until it has ended. A write in progress is interrupted.
func (r *Running) Stop() {
	r.cancel()
	<-r.done
}

type manager struct {
	client    client
	informers dynamicinformer.DynamicSharedInformerFactory
	log       *slog.Logger

	works, placements, destinations, stores *controller
}

func newManager(config *rest.Config, options Options, dir string) (*manager, error) {
	own := rest.CopyConfig(config)
	own.QPS = -1
	own.UserAgent = fieldManager
	d, err := dynamic.NewForConfig(own)
	if err != nil {
		return nil, fmt.Errorf("connect to the API server: %w", err)
	}
	log := options.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	choose := options.Choose
	if choose == nil {
		choose = rand.IntN
	}
	m := &manager{client: client{d}, log: log, informers: dynamicinformer.NewDynamicSharedInformerFactory(d, 0)}
	repositories := &repositories{dir: dir, open: map[remote]*repository{}}
	stores := &stores{client: m.client, repositories: repositories}
	scheduler := &scheduler{client: m.client, choose: choose}
	writer := &writer{client: m.client, stores: stores, delay: options.WriteDelay, log: log}
	m.works = newController("Work", 1, scheduler.reconcile)
	m.placements = newController("WorkPlacement", cmp.Or(options.Writers, 1), writer.reconcile)
	m.destinations = newController("Destination", 1, (&destinations{client: m.client, stores: stores}).reconcile)
	m.stores = newController("GitStateStore", 1, stores.reconcile)
	return m, nil
}

func (m *manager) run(ctx context.Context, synced chan<- error) {
	if err := m.observe(); err != nil {
		synced <- err
		return
	}
	m.informers.Start(ctx.Done())
	defer m.informers.Shutdown()
	for resource, ok := range m.informers.WaitForCacheSync(ctx.Done()) {
		if !ok {
			synced <- fmt.Errorf("list %s: %w", resource.Resource, cmp.Or(ctx.Err(), errors.New("not synced")))
			return
		}
	}
	synced <- nil
	var group sync.WaitGroup
	for _, c := range []*controller{m.works, m.placements, m.destinations, m.stores} {
		group.Go(func() { c.run(ctx, m.log) })
	}
	group.Wait()
}
