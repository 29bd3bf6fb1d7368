package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordination "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	"github.com/kratix-schedule/kratix-schedule/kratix"
)

// leaseName is the Lease that replicas lead by.
const leaseName = "kratix-schedule"

// sharers is who holds that Lease while replicas share the work: all of them.
const sharers = "replicas-share"

// leaseFlags say whether, and where, replicas agree on one of them, or share.
type leaseFlags struct {
	elect     bool
	share     bool
	namespace string
	duration  time.Duration
}

func (f *leaseFlags) add(c *cobra.Command) {
	c.Flags().BoolVar(&f.elect, "leader-elect", false, "with --kube, work only while holding the Lease "+leaseName+", so that of several replicas one works")
	c.Flags().BoolVar(&f.share, "replicas-share", false, "with --kube, work beside other replicas: each writes to a part of the state stores, and takes over those of one that is gone; every replica must have it")
	c.Flags().StringVar(&f.namespace, "lease-namespace", "", "namespace of the Leases; by default the Pod's, else "+kratix.SystemNamespace)
	c.Flags().DurationVar(&f.duration, "lease-duration", 15*time.Second, "how long others wait for a replica that says nothing any more")
}

// identity names this replica: in a cluster, its Pod.
func (f *leaseFlags) identity() string {
	if name := os.Getenv("POD_NAME"); name != "" {
		return name
	}
	return hostname()
}

// leader holds the Lease, or waits for it.
type leader struct {
	lock     resourcelock.Interface
	duration time.Duration
	// release gives the Lease back in the end.
	release bool
}

// leader is nil when there is nothing to agree on.
func (f *leaseFlags) leader(config *rest.Config, identity string) (*leader, error) {
	if !f.elect && !f.share {
		return nil, nil //nolint:nilnil // no leader is what is asked for
	}
	if f.share {
		identity = sharers // the others may hold it too, and one that works alone may not
	}
	client, err := coordination.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	lock := &resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Name: leaseName, Namespace: f.leaseNamespace()},
		Client:     client,
		LockConfig: resourcelock.ResourceLockConfig{Identity: identity},
	}
	return &leader{lock: lock, duration: f.duration, release: !f.share}, nil
}

func (f *leaseFlags) leaseNamespace() string {
	if f.namespace != "" {
		return f.namespace
	}
	const mounted = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
	if text, err := os.ReadFile(mounted); err == nil && len(text) > 0 {
		return strings.TrimSpace(string(text))
	}
	return kratix.SystemNamespace
}

// lead does work as soon as, and only while, this replica leads. The Lease is
// kept until work has ended, so that what is in hand is written before another
// begins. Once the Lease is lost lead ends with an error: a process that starts
// anew is in a known state. Why the Lease cannot be had is told to tell.
func (l *leader) lead(ctx context.Context, tell func(error), work func(context.Context) error) error {
	waiting, give := context.WithCancel(quiet(context.WithoutCancel(ctx)))
	defer give()
	var leads atomic.Bool
	defer context.AfterFunc(ctx, func() {
		if !leads.Load() {
			give()
		}
	})()
	ended := make(chan error, 1)
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: &toldLock{l.lock, tell}, LeaseDuration: l.duration, RenewDeadline: l.duration * 2 / 3, RetryPeriod: l.duration / 7,
		ReleaseOnCancel: l.release,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(leading context.Context) {
				leads.Store(true)
				working, stop := context.WithCancel(leading)
				defer context.AfterFunc(ctx, stop)()
				ended <- work(working)
				give()
			},
			OnStoppedLeading: func() {},
		},
	})
	if err != nil {
		return err
	}
	elector.Run(waiting)
	if !leads.Load() {
		return nil // it was told to stop before it led
	}
	if err := <-ended; err != nil || ctx.Err() != nil {
		return err
	}
	return errLostLease
}

// toldLock tells of what else would only be logged by the Kubernetes client.
type toldLock struct {
	resourcelock.Interface
	tell func(error)
}

// Get reads the Lease.
func (l *toldLock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	record, raw, err := l.Interface.Get(ctx)
	if !apierrors.IsNotFound(err) {
		l.told(ctx, "read", err)
	}
	return record, raw, err
}

// Create makes the Lease.
func (l *toldLock) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	err := l.Interface.Create(ctx, record)
	if !apierrors.IsAlreadyExists(err) {
		l.told(ctx, "create", err)
	}
	return err
}

// Update takes or renews the Lease.
func (l *toldLock) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	err := l.Interface.Update(ctx, record)
	if !apierrors.IsConflict(err) {
		l.told(ctx, "update", err)
	}
	return err
}

func (l *toldLock) told(ctx context.Context, verb string, err error) {
	if err != nil && ctx.Err() == nil {
		l.tell(fmt.Errorf("%s the Lease %s: %w", verb, l.Describe(), err))
	}
}
