package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/report"
	"github.com/kratix-schedule/kratix-schedule/telemetry"
)

// followFlags are for run without --once.
type followFlags struct {
	interval  time.Duration
	listen    string
	profile   bool
	logLevel  string
	logFormat string
	shutdown  time.Duration
}

func (f *followFlags) add(c *cobra.Command) {
	c.Flags().DurationVar(&f.interval, "interval", 5*time.Minute, "look at everything at least this often, and put right what others changed")
	c.Flags().StringVar(&f.listen, "listen", "127.0.0.1:8080", "address for /healthz, /readyz, /metrics and /api/v1/report; none if empty")
	c.Flags().BoolVar(&f.profile, "pprof", false, "serve /debug/pprof there too")
	c.Flags().StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error; PUT /log-level changes it later")
	c.Flags().StringVar(&f.logFormat, "log-format", "json", "json or console")
	c.Flags().DurationVar(&f.shutdown, "shutdown-timeout", 30*time.Second, "how long a write in hand may take once the process is told to stop")
}

// retry is how soon a round is done again after all of it failed.
const retry = 15 * time.Second

// follower does round after round, and tells of each.
type follower struct {
	reconciler *reconcile.Reconciler
	flags      followFlags
	narrator   *telemetry.Narrator
	observer   *telemetry.Observer
	metrics    *telemetry.Metrics
	restless   telemetry.Restless
	server     telemetry.Server
	stores     *workedStores
	// woken says that a store has something new to say.
	woken  chan struct{}
	beside beside
}

// beside is what else there is to do where others take part.
type beside struct {
	// lead does the work as long as this process is the one to do it, and tells
	// why it cannot find that out; nil does it at once.
	lead func(ctx context.Context, tell func(error), work func(context.Context) error) error
	// tell passes on what a round came to, and tells whether the next one has more
	// to do; nil passes nothing on.
	tell func(ctx context.Context, said report.Report) (calls map[string]int, again bool, err error)
}

// tracesTimeout is how long sending the last spans may take.
const tracesTimeout = 5 * time.Second

// follow does a round whenever the input changes or the user asks, and every
// interval, until ctx ends.
func follow(c *cobra.Command, reconciler *reconcile.Reconciler, flags followFlags, beside beside, std streams) error {
	log, level, err := logger(flags, std)
	if err != nil {
		return usage(c, err.Error())
	}
	if flags.interval <= 0 {
		return usage(c, "--interval must be more than 0")
	}
	boundHeap()
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	ctx := c.Context()
	traces, err := telemetry.NewTraces(ctx, version, log)
	if err != nil {
		return usage(c, err.Error())
	}
	defer closeTraces(ctx, traces)
	metrics := telemetry.NewMetrics(registry, version)
	f := &follower{
		reconciler: reconciler, flags: flags, beside: beside, metrics: metrics, narrator: telemetry.NewNarrator(log), server: telemetry.Server{Version: version},
		woken:    make(chan struct{}, 1),
		observer: telemetry.NewObserver(metrics, traces, time.Now),
	}
	f.stores = newWorkedStores(f.observer.Stores(reconciler.Stores), f.wake, f.observer.Resting)
	reconciler.Observe, reconciler.Stores = f.observer.Stage, f.stores

	changes, err := reconciler.Source.Changes(ctx)
	if err != nil {
		return inputError(err)
	}
	failed, stop, err := f.serve(ctx, c.Flags().Changed("listen"), registry, level, log)
	if err != nil {
		return err
	}
	defer stop()
	log.Info("started", zap.String("version", version))
	defer log.Info("stopped")
	if f.beside.lead == nil {
		return f.rounds(ctx, changes, failed)
	}
	f.server.Standby()
	tell := func(err error) { log.Warn("trouble with the Lease", zap.Error(err)) }
	return f.beside.lead(ctx, tell, func(ctx context.Context) error {
		log.Info("working")
		return f.rounds(ctx, changes, failed)
	})
}

// wake asks for a round; one that is asked for already is enough.
func (f *follower) wake() {
	select {
	case f.woken <- struct{}{}:
	default:
	}
}

// rounds ends with ctx, or with the HTTP server.
func (f *follower) rounds(ctx context.Context, changes <-chan struct{}, failed <-chan error) error {
	look, forget := lookSignals()
	defer forget()
	interval := time.NewTicker(f.flags.interval)
	defer interval.Stop()
	defer f.finishWrites(ctx)
	for ctx.Err() == nil {
		again := f.round(ctx)
		select {
		case <-ctx.Done():
		case <-changes:
		case <-f.woken:
		case <-again:
		case <-look:
			f.lookAgain()
		case <-interval.C:
			f.lookAgain()
		case err := <-failed:
			return err
		}
	}
	return nil
}

// lookAgain has the next round look at all of the input, if the source looks only
// at what it is told of.
func (f *follower) lookAgain() {
	if source, ok := f.reconciler.Source.(interface{ LookAgain() }); ok {
		source.LookAgain()
	}
}

// round does one round and tells of it; again says when the next one is due by
// itself, if it is.
func (f *follower) round(ctx context.Context) (again <-chan time.Time) {
	inner, done := f.observer.Round(context.WithoutCancel(ctx))
	result, err := f.reconciler.Round(inner)
	if err == nil {
		result = f.restless.Round(result, time.Now())
	}
	done(result, err)
	f.narrator.Round(result, err)
	f.server.Round(result, err, time.Now())
	switch {
	case err != nil:
		return time.After(retry)
	case f.tell(ctx, result):
		return time.After(time.Second)
	case result.Again:
		return time.After(0) // the second half of a move
	}
	return nil
}

// finishWrites lets what is being written when the process is told to stop take
// its time.
func (f *follower) finishWrites(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.flags.shutdown)
	defer cancel()
	f.stores.workers.Finish(ctx)
}

// tell passes a round on, and tells whether that is to be done again soon. When
// the process is told to stop it may still take its time.
func (f *follower) tell(ctx context.Context, result report.Report) (again bool) {
	if f.beside.tell == nil {
		return false
	}
	patient, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(f.flags.shutdown, cancel) })()
	calls, again, err := f.beside.tell(patient, result)
	f.metrics.Told(calls)
	f.narrator.Told(err)
	return again || err != nil
}

// closeTraces sends the last spans, which a process that is told to stop may
// still do for a moment.
func closeTraces(ctx context.Context, traces *telemetry.Traces) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tracesTimeout)
	defer cancel()
	_ = traces.Close(ctx) // spans that cannot be sent are lost
}

// serve answers HTTP requests, if it is asked to, until stop is called. Rounds
// go on without it if only the default address is taken.
func (f *follower) serve(ctx context.Context, chosen bool, registry *prometheus.Registry, level zap.AtomicLevel, log *zap.Logger) (failed <-chan error, stop func(), err error) {
	if f.flags.listen == "" {
		return nil, func() {}, nil
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", f.flags.listen)
	if err != nil && !chosen {
		log.Warn("not listening", zap.Error(err), zap.String("fix", "Choose an address with --listen, or none with --listen=\"\"."))
		return nil, func() {}, nil
	}
	if err != nil {
		return nil, nil, exit{code: exitUsage, text: "--listen: " + err.Error()}
	}
	mux := f.server.Handler(registry, level)
	if f.flags.profile {
		telemetry.Profile(mux)
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	trouble := make(chan error, 1)
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			trouble <- fmt.Errorf("serve %s: %w", f.flags.listen, err)
		}
	}()
	log.Info("listening", zap.String("address", listener.Addr().String()))
	return trouble, func() { _ = server.Close() }, nil
}
