// Package daemon runs rounds when something changes and at intervals. It serves HTTP, and reports
// each round.
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

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/page"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/telemetry"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/throttle"
)

const retry = 15 * time.Second

// Daemon runs rounds until it is stopped. Fields may be nil where their comments say so.
type Daemon struct {
	// Reconciler runs the rounds. Run changes its fields.
	Reconciler *reconcile.Reconciler
	// Interval is the time after which a round runs although nothing has changed.
	Interval time.Duration
	// Shutdown is the maximum duration of a write in progress after Run is stopped.
	Shutdown time.Duration
	// Version is the version of the program.
	Version string
	Now     func() time.Time
	// Log receives lines of Level and above. Level can be changed by HTTP.
	Log    *zap.Logger
	Level  zap.AtomicLevel
	Traces trace.TracerProvider
	// Listen returns the listener of the HTTP server, or nil for none.
	Listen func(context.Context) (net.Listener, error)
	// Page shows the rounds to people. If it is nil, no page is served.
	Page *page.Site
	// ListenPage returns the listener of the page. If it is nil, the page is served at Listen.
	ListenPage func(context.Context) (net.Listener, error)
	// AdminToken returns the token for changes by HTTP. If it is nil, nothing can be changed.
	AdminToken func() (string, error)
	// EventsSecret returns the secret of the events of Flux and Argo CD. If it is nil, no events
	// are received.
	EventsSecret func() (string, error)
	// Inbox contains the states that the events report. If it is nil, no events are received.
	Inbox *agent.Inbox
	// GitEventsSecret returns the secret of the webhooks of git hosts. If it is nil, no webhooks
	// are received.
	GitEventsSecret func() (string, error)
	// Profile enables Go's profiling endpoints.
	Profile bool
	// Lead runs work while this process is the leader, and calls tell with each error of the Lease.
	// If it is nil, there is no leader election.
	Lead func(ctx context.Context, tell func(error), work func(context.Context) error) error
	// WriteStatus writes the result of a round to the cluster. It may be called again with the same
	// report. If it is nil, nothing is written.
	WriteStatus func(ctx context.Context, said report.Report) StatusResult
	// Watch returns more findings for the report of each round, and must not block. It may be nil.
	Watch func() []finding.Finding
	// Project returns the stores that rounds use in place of stores. It may be nil.
	Project func(stores statestore.Opener) statestore.Opener
	// CommitsPerMinute is the limit of commits per minute to each repository on a git server, unless
	// its state store has an annotation. 0 means no limit, also for registries. It has no effect with
	// Project.
	CommitsPerMinute int

	registry *prometheus.Registry
	events   *telemetry.EventLog
	observer *telemetry.Observer
	metrics  *telemetry.Metrics
	restless telemetry.Restless
	server   telemetry.Server
	stores   *workerStores
	throttle *throttle.Throttle
	stopping *stopping
	pushes   gitPushes
	// planned is the input of the last plan. It is nil without a Page.
	planned *scheduler.Input
	// woken receives a value when a round is requested.
	woken   chan struct{}
	refused []finding.Finding
}

// Run runs rounds until ctx ends, and finishes the writes in progress. It can be called once.
func (d *Daemon) Run(ctx context.Context) error {
	go boundHeap(ctx)
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

// work runs rounds while this process is the leader, until ctx ends.
func (d *Daemon) work(ctx context.Context, changes <-chan struct{}) error {
	if d.Lead == nil {
		return d.rounds(ctx, changes)
	}
	d.server.Standby()
	if d.Page != nil {
		d.Page.Standby()
	}
	tell := func(err error) { d.Log.Warn("Lease error", zap.Error(err)) }
	return d.Lead(ctx, tell, func(ctx context.Context) error {
		d.Log.Info("working")
		return d.rounds(ctx, changes)
	})
}

// assemble creates the parts of the daemon, and wraps the stores of the Reconciler.
func (d *Daemon) assemble(stop <-chan struct{}) {
	d.stopping = &stopping{stop: stop}
	d.Reconciler.Stop = stop
	d.registry = prometheus.NewRegistry()
	d.metrics = telemetry.NewMetrics(d.registry, d.Version)
	d.events = telemetry.NewEventLog(d.Log)
	d.observer = telemetry.NewObserver(d.metrics, d.Traces, d.Now)
	d.server.Version = d.Version
	d.woken, d.pushes.changed = make(chan struct{}, 1), make(chan struct{}, 1)
	if d.Inbox != nil {
		from := &inboxSource{Source: d.Reconciler.Source, inbox: d.Inbox}
		if d.Reconciler.Selects != nil {
			from.now = d.Now
		}
		d.Reconciler.Source = from
		d.Reconciler.Agents = func() reconcile.AgentStates { return d.Inbox.States() }
	}
	var stores statestore.Opener = stoppingStores{d.Reconciler.Stores, d.stopping}
	if d.Reconciler.Builder != nil {
		d.Reconciler.Builder = stoppingBuilder{d.Reconciler.Builder, d.stopping}
	}
	d.throttle = &throttle.Throttle{
		PerMinute: d.CommitsPerMinute, Off: d.Project != nil, Now: d.Now, Wake: d.wake,
		Committed: d.observer.Committed, Waiting: d.observer.Waiting,
	}
	d.stores = newWorkerStores(d.throttle.Spread(d.observer.Stores(stores)), d.wake, d.observer.Resting)
	d.throttle.Opener = d.stores
	d.Reconciler.Observe, d.Reconciler.Stores, d.Reconciler.Now = d.observer.Stage, d.throttle, d.Now
	if d.Page != nil {
		d.Page.Store = newPageStore(d.stores)
		d.Reconciler.Planned = func(in scheduler.Input) { d.planned = &in }
	}
	if d.Project != nil {
		d.Reconciler.Stores = d.Project(d.throttle)
	}
}

// wake requests a round. Further requests before the round have no effect.
func (d *Daemon) wake() {
	select {
	case d.woken <- struct{}{}:
	default:
	}
}

func (d *Daemon) rounds(ctx context.Context, changes <-chan struct{}) error {
	look, forget := refreshSignals()
	defer forget()
	interval := time.NewTicker(d.Interval)
	defer interval.Stop()
	patient, give := d.patient(ctx)
	defer give()
	defer d.finishWrites(patient)
	go d.wakeByEvents(ctx)
	go d.wakeByPushes(ctx)
	for due := d.round(ctx, patient); ctx.Err() == nil; {
		select {
		case <-ctx.Done():
			return nil
		case <-due.tell:
			again := d.writeStatus(patient, due.report)
			due.tell, due.report = again.tell, again.report
			continue
		case <-changes:
		case <-d.woken:
		case <-due.round:
		case <-look:
			d.throttle.Refresh()
			d.Reconciler.ForgetFights()
			d.Reconciler.TryRefused()
			d.readAll()
		case <-interval.C:
			d.throttle.Refresh()
			d.readAll()
		}
		due = d.round(ctx, patient)
	}
	return nil
}

func (d *Daemon) readAll() {
	if source, ok := d.Reconciler.Source.(interface{ ReadAll() }); ok {
		source.ReadAll()
	}
}

// round runs one round and reports it. Its writes may continue until patient ends.
func (d *Daemon) round(ctx, patient context.Context) next {
	d.throttle.Begin()
	inner, done := d.observer.Round(patient)
	result, err := d.Reconciler.Round(inner)
	if err != nil && ctx.Err() != nil {
		done(result, err)
		return next{} // the process is stopping
	}
	if err == nil {
		result = d.restless.Round(d.watched(result), d.Now())
	}
	said := d.withRefused(result)
	done(said, err)
	if d.stopping.met.Load() {
		return next{} // the next process reports the interrupted writes
	}
	d.events.Round(said, err)
	d.publish(said, err)
	if err != nil {
		return next{round: time.After(retry)}
	}
	due := d.writeStatus(patient, result)
	switch {
	case result.Again:
		due.round = time.After(0) // after a move, another round removes the old copy
	case result.Due > 0 && due.round == nil:
		due.round = time.After(result.Due) // the next round retries the refused units
	}
	return due
}

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

// finishWrites finishes the writes after the process is stopped, for at most d.Shutdown. A process
// that has lost its Lease begins no write.
func (d *Daemon) finishWrites(patient context.Context) {
	ctx, cancel := context.WithTimeout(patient, d.Shutdown)
	defer cancel()
	if d.stopping.flush() {
		d.throttle.Flush(ctx)
	}
	d.stores.workers.Finish(ctx)
}
