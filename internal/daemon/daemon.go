// Package daemon does round after round: whenever the input changes, a store has
// something new to say, or the user asks, and every interval. It has for each store a
// worker of its own, answers HTTP requests, and reports each round.
package daemon

import (
	"cmp"
	"context"
	"net"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/telemetry"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// retry is how soon a round is done again after all of it failed.
const retry = 15 * time.Second

// Daemon is what runs until it is asked to stop. Fields that may be nil say so; all
// others are required.
type Daemon struct {
	// Reconciler does the rounds; Run puts workers and telemetry before its stores.
	Reconciler *reconcile.Reconciler
	// Interval is how often everything is looked at, whatever changes.
	Interval time.Duration
	// Shutdown is how long a write in hand may take once Run is asked to stop.
	Shutdown time.Duration
	// Version is the program's.
	Version string
	Now     func() time.Time
	// Log receives all that happens, from Level on; Level can be changed by HTTP.
	Log    *zap.Logger
	Level  zap.AtomicLevel
	Traces trace.TracerProvider
	// Listen opens what HTTP requests come by; they are not answered if it returns
	// nil.
	Listen func(context.Context) (net.Listener, error)
	// AdminToken returns the token of those who may change something by HTTP; nil
	// means that nobody may.
	AdminToken func() (string, error)
	// Profile serves Go's profiles there too.
	Profile bool
	// Lead does work as long as this process is the one to do it, and reports why it
	// cannot find that out; nil does it at once.
	Lead func(ctx context.Context, tell func(error), work func(context.Context) error) error
	// Tell passes on what a round came to. It may be called again with the same report,
	// for what could not be passed on; nil passes nothing on.
	Tell func(ctx context.Context, said report.Report) Told
	// Watch returns what else is wrong at the moment, for the report of each round; it
	// must not wait. nil finds nothing.
	Watch func() []finding.Finding
	// Project has what a round works on read in place of its stores, from behind the
	// workers; nil has the stores themselves.
	Project func(stores statestore.Opener) statestore.Opener

	registry *prometheus.Registry
	narrator *telemetry.Narrator
	observer *telemetry.Observer
	metrics  *telemetry.Metrics
	restless telemetry.Restless
	server   telemetry.Server
	stores   *workedStores
	stopping *stopping
	// woken says that a store has something new to say.
	woken chan struct{}
	// refused are the findings of Tell.
	refused []finding.Finding
}

// Run does rounds until ctx ends; what is being written then is finished. Errors
// are those of the source, of Listen and of Lead, and an HTTP server that broke
// down. It can be called once.
func (d *Daemon) Run(ctx context.Context) error {
	boundHeap()
	d.assemble(ctx.Done())
	d.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	changes, err := d.Reconciler.Source.Changes(ctx)
	if err != nil {
		return err
	}
	serving, stop, err := d.serve(ctx)
	if err != nil {
		return err
	}
	defer stop()
	d.Log.Info("started", zap.String("version", d.Version))
	defer d.Log.Info("stopped")
	err = d.work(serving, changes)
	return cmp.Or(brokenServer(serving), err)
}

// work does rounds until ctx ends, as soon as this process is the one to do them.
func (d *Daemon) work(ctx context.Context, changes <-chan struct{}) error {
	if d.Lead == nil {
		return d.rounds(ctx, changes)
	}
	d.server.Standby()
	tell := func(err error) { d.Log.Warn("trouble with the Lease", zap.Error(err)) }
	return d.Lead(ctx, tell, func(ctx context.Context) error {
		d.Log.Info("working")
		return d.rounds(ctx, changes)
	})
}

// assemble puts what stops, observes and works before the stores, in this order.
func (d *Daemon) assemble(stop <-chan struct{}) {
	d.stopping = &stopping{stop: stop}
	d.Reconciler.Stop = stop
	d.registry = prometheus.NewRegistry()
	d.metrics = telemetry.NewMetrics(d.registry, d.Version)
	d.narrator = telemetry.NewNarrator(d.Log)
	d.observer = telemetry.NewObserver(d.metrics, d.Traces, d.Now)
	d.server.Version = d.Version
	d.woken = make(chan struct{}, 1)
	var stores statestore.Opener = stoppingStores{d.Reconciler.Stores, d.stopping}
	if d.Reconciler.Builder != nil {
		d.Reconciler.Builder = stoppingBuilder{d.Reconciler.Builder, d.stopping}
	}
	d.stores = newWorkedStores(d.observer.Stores(stores), d.wake, d.observer.Resting)
	d.Reconciler.Observe, d.Reconciler.Stores, d.Reconciler.Now = d.observer.Stage, d.stores, d.Now
	if d.Project != nil {
		d.Reconciler.Stores = d.Project(d.stores)
	}
}

// wake asks for a round; one that is asked for already is enough.
func (d *Daemon) wake() {
	select {
	case d.woken <- struct{}{}:
	default:
	}
}

// rounds ends with ctx.
func (d *Daemon) rounds(ctx context.Context, changes <-chan struct{}) error {
	look, forget := lookSignals()
	defer forget()
	interval := time.NewTicker(d.Interval)
	defer interval.Stop()
	patient, give := d.patient(ctx)
	defer give()
	defer d.finishWrites(patient)
	for due := d.round(ctx, patient); ctx.Err() == nil; {
		select {
		case <-ctx.Done():
			return nil
		case <-due.tell:
			again := d.tell(patient, due.report)
			due.tell, due.report = again.tell, again.report
			continue
		case <-changes:
		case <-d.woken:
		case <-due.round:
		case <-look:
			d.Reconciler.ForgetFights()
			d.Reconciler.TryRefused()
			d.lookAgain()
		case <-interval.C:
			d.lookAgain()
		}
		due = d.round(ctx, patient)
	}
	return nil
}

// lookAgain has the next round look at all of the input, if the source looks only
// at what changed.
func (d *Daemon) lookAgain() {
	if source, ok := d.Reconciler.Source.(interface{ LookAgain() }); ok {
		source.LookAgain()
	}
}

// round does one round and reports it. What it writes may go on for as long as
// patient, when ctx has ended.
func (d *Daemon) round(ctx, patient context.Context) next {
	inner, done := d.observer.Round(patient)
	result, err := d.Reconciler.Round(inner)
	if err != nil && ctx.Err() != nil {
		done(result, err)
		return next{} // the process is asked to stop before there was anything to write
	}
	if err == nil {
		result = d.restless.Round(d.watched(result), d.Now())
	}
	said := d.withRefused(result)
	done(said, err)
	if d.stopping.met.Load() {
		return next{} // what was cut short is the next process's to tell
	}
	d.narrator.Round(said, err)
	d.server.Round(said, err, d.Now())
	if err != nil {
		return next{round: time.After(retry)}
	}
	due := d.tell(patient, result)
	switch {
	case result.Again:
		due.round = time.After(0) // the second half of a move
	case result.Due > 0 && due.round == nil:
		due.round = time.After(result.Due) // what a server has refused is tried again
	}
	return due
}

// watched returns a report that also has what Watch finds.
func (d *Daemon) watched(result report.Report) report.Report {
	if d.Watch == nil {
		return result
	}
	if found := d.Watch(); len(found) > 0 {
		result.Findings = slices.Concat(result.Findings, found)
		finding.Sort(result.Findings)
	}
	return result
}

// finishWrites lets what is being written when the process is asked to stop take
// its time.
func (d *Daemon) finishWrites(patient context.Context) {
	ctx, cancel := context.WithTimeout(patient, d.Shutdown)
	defer cancel()
	d.stores.workers.Finish(ctx)
}
