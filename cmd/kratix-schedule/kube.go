package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"

	"github.com/kratix-schedule/kratix-schedule/applycheck"
	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/admission"
	"github.com/kratix-schedule/kratix-schedule/internal/daemon"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/projected"
	"github.com/kratix-schedule/kratix-schedule/internal/promoted"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/status"
	"github.com/kratix-schedule/kratix-schedule/internal/status/apply"
	"github.com/kratix-schedule/kratix-schedule/internal/status/requests"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/source/kube"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/open"
)

type kubeFlags struct {
	enabled  bool
	beside   besideFlags
	promote  promoteFlags
	api      apiFlags
	shard    shardSelector
	lease    leaseFlags
	profiles profileNamespaceFlag
	requests requesterFlags
}

func (f *kubeFlags) add(c *cobra.Command) {
	c.Flags().BoolVar(&f.enabled, "kube", false, "read Works and Destinations from the Kubernetes API, and write WorkPlacements, conditions and events back")
	f.beside.add(c)
	f.promote.add(c)
	f.api.add(c)
	f.shard.add(c)
	f.lease.add(c)
	f.profiles.add(c)
	f.requests.add(c)
}

func (f *kubeFlags) check(flags runFlags) error {
	switch {
	case f.enabled && len(flags.input.paths) > 0:
		return errors.New("--kube reads from the Kubernetes API; leave --filename out")
	case f.beside.schedules && flags.dryRun:
		return errors.New("--schedule-only writes WorkPlacements and --dry-run writes nothing: choose one")
	case f.beside.schedules && flags.policy.conflict.policy() == dedupe.Share:
		return errors.New("--on-conflict share cannot be used with --schedule-only: Kratix could not make its own update of each WorkPlacement without the shared objects, and report that its Work fails for as long as it lives")
	}
	if err := flags.follow.events.checkWriter(f.beside.schedules, flags.dryRun); err != nil {
		return err
	}
	return errors.Join(f.beside.check(f.enabled), f.promote.check(flags), f.shard.check(flags), f.lease.check(), f.requests.check(f.enabled))
}

func (f *kubeFlags) mode(dryRun bool) status.Mode {
	switch {
	case f.beside.schedules:
		return status.Schedule
	case f.promote.enabled:
		return status.Promote
	case dryRun:
		return status.Observe
	}
	return status.Manage
}

type cluster struct {
	source *kube.Source
	writer *apply.Writer
	mode   status.Mode
	// policy checks the admission policy. It is nil except in schedule mode.
	policy *policyWatch
	// ignoresOthers means that this process continues beside another scheduler.
	ignoresOthers bool
	unread        bool
	renewals      renewals
	// promoted is the source of Kratix's decisions. It is nil except in promote mode.
	promoted *promoted.Source
	// selects reports whether this process writes objects with the given labels. Nil selects all
	// objects.
	selects func(labels map[string]string) bool
	// lead is nil without leader election.
	lead leader
	// requests write the status of requests and their HealthRecords.
	requests []*requests.Writer
}

func (f *kubeFlags) open(c *cobra.Command, mode status.Mode, check applycheck.Policy) (*cluster, error) {
	config, err := f.api.config("--kube")
	if err != nil {
		return nil, err
	}
	options := kube.Options{Now: time.Now, Contents: mode != status.Manage, NoSecrets: f.beside.unread, ProfileNamespace: f.profiles.namespace(check), OCIStores: mode == status.Manage || mode == status.Promote, NamedStores: mode == status.Manage}
	if mode == status.Promote {
		options.Opens = promoted.Opened(f.promote.live.stores)
	}
	follows, err := kube.New(config, options)
	if err != nil {
		return nil, err
	}
	identity := f.lease.identity()
	writer, err := apply.New(config, time.Now, identity)
	if err != nil {
		return nil, err
	}
	opened := &cluster{source: follows, writer: writer, mode: mode, ignoresOthers: f.beside.with == ignoreKratix, unread: f.beside.unread, selects: f.shard.selects()}
	if mode == status.Schedule {
		if opened.policy, err = f.beside.policyWatch(config, follows.RequestRound); err != nil {
			return nil, err
		}
	}
	if mode == status.Promote {
		opened.promoted = promoted.New(follows, f.promote.live.stores)
	}
	if opened.requests, err = f.requests.writers(config); err != nil {
		return nil, err
	}
	if opened.lead, err = f.lease.leader(config, identity, f.shard); err != nil {
		return nil, err
	}
	follows.Follow(c.Context())
	return opened, nil
}

func (k *cluster) objects() status.Objects {
	now := k.source.Objects()
	objects := status.Objects{
		Works: now.Works, WorkPlacements: now.WorkPlacements, Destinations: now.Destinations,
		StateStores: now.StateStores, Rollouts: now.Rollouts, Unreadable: now.Unreadable,
	}
	if k.promoted != nil {
		objects.Live = k.promoted.Live()
	}
	return objects
}

func (k *cluster) writeStatus(ctx context.Context, said report.Report) daemon.StatusResult {
	objects := k.objects()
	changes := status.Plan(said, objects, k.mode, k.selects, metav1.NewTime(time.Now()).Rfc3339Copy())
	var due time.Duration
	switch k.mode {
	case status.Schedule:
		due = k.renewals.slow(changes, time.Now())
	case status.Promote:
		due = k.renewals.slowPromoted(changes, time.Now())
	case status.Manage, status.Observe:
	}
	outcome := k.writer.Apply(ctx, withoutExpected(changes, k.source.Expected))
	outcome.Retry = sooner(sooner(outcome.Retry, due), k.expect(ctx, outcome))
	k.writeRequests(ctx, said, objects, &outcome)
	return daemon.StatusResult{Calls: outcome.Calls, Refused: outcome.Refused, Retry: outcome.Retry, Err: outcome.Err}
}

func (k *cluster) writeStatusOnce(ctx context.Context, said report.Report, out io.Writer) error {
	told := k.writeStatus(ctx, said)
	if told.Err != nil {
		return told.Err
	}
	return printRefused(out, told.Refused)
}

// printRefused prints findings about refused writes, and returns an error if any has the severity
// Error.
func printRefused(out io.Writer, refused []finding.Finding) error {
	if len(refused) == 0 {
		return nil
	}
	if err := report.Text(out, refused); err != nil {
		return err
	}
	errors := report.Count(refused).Errors
	if errors == 0 {
		return nil
	}
	return exit{code: exitFailure, text: fmt.Sprintf("the Kubernetes API server refuses %d writes", errors)}
}

func runKube(c *cobra.Command, flags runFlags, std streams) error {
	if err := flags.kube.check(flags); err != nil {
		return usage(c, err.Error())
	}
	commits, err := flags.git.parse(c, flags.policy.owner)
	if err != nil {
		return err
	}
	volume, err := flags.volume.volume(c)
	if err != nil {
		return err
	}
	opened, err := flags.kube.open(c, flags.kube.mode(flags.dryRun), flags.policy.apply.policy())
	if err != nil {
		return err
	}
	if err := flags.policy.ownedByCluster(c, opened.source, std); err != nil {
		return err
	}
	commits.Owner = flags.policy.owner
	reconciler := &reconcile.Reconciler{
		Source: opened.source, Stores: storesOf(commits, flags.branch),
		Policy: flags.policy.policy(), Pause: pause, Builder: std.builder,
		Now: time.Now, Allowed: flags.allowed.reader(), Selects: opened.selects,
	}
	opened.bound(reconciler)
	end, err := opened.begin(c, flags.kube.beside.requires)
	if err != nil {
		return err
	}
	if !flags.once {
		return end(follow(c, opened.daemon(reconciler), flags.follow.at(c, volume), std))
	}
	if opened.kratixWrites() {
		reconciler.Stores = opened.projection(reconciler.Stores)
	}
	result, err := reconciler.Round(c.Context())
	if err != nil {
		return end(err)
	}
	result.Findings = slices.Concat(result.Findings, opened.watch())
	if err := flags.printResult(std, result, volume); err != nil {
		return err
	}
	refusals := std.out
	if !flags.output.isText() {
		refusals = std.err // standard output must contain one document
	}
	if err := opened.writeStatusOnce(c.Context(), result, refusals); err != nil {
		return err
	}
	return verdict(result)
}

// begin checks the admission policy in schedule mode, and starts to watch it. end returns the error
// of the process for the error of the command.
func (k *cluster) begin(c *cobra.Command, required bool) (end func(error) error, err error) {
	if k.policy == nil {
		return func(err error) error { return err }, nil
	}
	verdict := k.policy.runCheck(c.Context())
	if required && verdict.State != admission.InForce && c.Context().Err() == nil {
		return nil, exit{code: exitFailure, text: fmt.Sprintf("%v: %s", errPolicy, verdict)}
	}
	ctx, cancel := context.WithCancelCause(c.Context())
	c.SetContext(ctx)
	go k.policy.watch(ctx, verdict, required, cancel)
	return func(err error) error {
		defer cancel(nil)
		if cause := (exit{}); errors.As(context.Cause(ctx), &cause) {
			return cause
		}
		return err
	}, nil
}

// kratixWrites reports whether Kratix, and not this process, writes to the stores that are read.
func (k *cluster) kratixWrites() bool { return k.mode == status.Schedule || k.mode == status.Observe }

func (k *cluster) watch() []finding.Finding {
	switch k.mode {
	case status.Schedule:
		return append(k.policy.findings(), k.otherScheduler()...)
	case status.Manage:
		return k.otherScheduler()
	}
	return nil
}

func (k *cluster) daemon(r *reconcile.Reconciler) *daemon.Daemon {
	d := &daemon.Daemon{Reconciler: r, WriteStatus: k.writeStatus, Lead: k.lead, Watch: k.watch}
	if k.kratixWrites() {
		d.Project = k.projection
	}
	if k.promoted == nil { // its stores are not those of the source
		k.source.OnStores(d.ReadAhead)
	}
	return d
}

func (k *cluster) bound(r *reconcile.Reconciler) {
	switch k.mode {
	case status.Promote:
		r.Source, r.Planner, r.Finish = k.promoted, k.promoted, reconcile.Commit
		return
	case status.Manage:
		r.Finish = func(ctx context.Context, parts []statestore.StoreChanges) []statestore.Outcome {
			if len(k.otherScheduler()) > 0 {
				return reconcile.Rehearse(ctx, parts)
			}
			return reconcile.Commit(ctx, parts)
		}
		return
	case status.Schedule, status.Observe:
	}
	r.Stores = open.ReadOnly{Opener: r.Stores}
	r.Policy.Owner = "" // without records, the controller ID is stored nowhere
	if r.Finish = reconcile.Preview; k.mode == status.Observe {
		r.Finish = reconcile.Rehearse
	}
}

func (k *cluster) projection(stores statestore.Opener) statestore.Opener {
	return &projected.Stores{Opener: stores, Unread: k.unread, Now: time.Now}
}

// quiet discards the log of the Kubernetes client.
func quiet(ctx context.Context) context.Context { return klog.NewContext(ctx, logr.Discard()) }

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		name = "unknown"
	}
	return fmt.Sprintf("%s-%d", name, os.Getpid())
}
