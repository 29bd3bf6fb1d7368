// Package lease elects a leader among replicas with a Lease in a Kubernetes cluster. It does I/O:
// it reads and writes Leases.
package lease

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/klog/v2"
)

// Name is the name of the Lease of a process without a shard. The names of other Leases of this
// program begin with it.
const Name = "kratix-schedule"

// ErrNotLeading is the error after this process has lost the Lease. The process must end.
var ErrNotLeading = errors.New("the lease was lost to another replica, or could not be renewed")

// Leader acquires and holds a Lease.
type Leader struct {
	// Leases is the client for Leases in the cluster. Namespace and Lease are the namespace and the
	// name of the Lease.
	Leases           client.LeasesGetter
	Namespace, Lease string
	// Self is the name of the holder. If Shared is set, all processes with this name hold the Lease at
	// the same time, and do not release it when they end.
	Self   string
	Shared bool
	// Duration is the time without a renewal after which another replica takes over.
	Duration time.Duration
}

func (l *Leader) lock() *resourcelock.LeaseLock {
	return &resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Name: l.Lease, Namespace: l.Namespace},
		Client:     l.Leases,
		LockConfig: resourcelock.ResourceLockConfig{Identity: l.Self},
	}
}

// Lead waits for the Lease and runs work while this process holds it. Work that is in progress is
// finished before the Lease is released. If the Lease is lost, Lead returns the error of work or
// else ErrNotLeading, and the process must end. tell is called with errors of reading or writing
// the Lease.
func (l *Leader) Lead(ctx context.Context, tell func(error), work func(context.Context) error) error {
	// reportingLock reports the errors, so the log of the Kubernetes client is discarded.
	waiting, give := context.WithCancel(klog.NewContext(context.WithoutCancel(ctx), logr.Discard()))
	defer give()
	var leads atomic.Bool
	defer context.AfterFunc(ctx, func() {
		if !leads.Load() {
			give()
		}
	})()
	ended := make(chan error, 1)
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: &reportingLock{l.lock(), tell}, LeaseDuration: l.Duration, RenewDeadline: l.Duration * 2 / 3, RetryPeriod: l.retryPeriod(),
		ReleaseOnCancel: !l.Shared,
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
		return nil // stopped before this replica became the leader
	}
	if err := <-ended; err != nil || ctx.Err() != nil {
		return err
	}
	return ErrNotLeading
}

// retryPeriod returns the time between two renewals. It is different in each process, so that
// processes which share a Lease do not renew it at the same moments, again and again.
func (l *Leader) retryPeriod() time.Duration {
	period := l.Duration / 7
	return period + rand.N(period/10+1) //nolint:gosec // it needs no secrecy
}

// reportingLock calls onError with errors that client-go would only log.
type reportingLock struct {
	resourcelock.Interface
	onError func(error)
}

func (l *reportingLock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	record, raw, err := l.Interface.Get(ctx)
	if !apierrors.IsNotFound(err) {
		l.report(ctx, "read", err)
	}
	return record, raw, err
}

func (l *reportingLock) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	err := l.Interface.Create(ctx, record)
	if !apierrors.IsAlreadyExists(err) {
		l.report(ctx, "create", err)
	}
	return err
}

func (l *reportingLock) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	err := l.Interface.Update(ctx, record)
	if !apierrors.IsConflict(err) {
		l.report(ctx, "update", err)
	}
	return err
}

func (l *reportingLock) report(ctx context.Context, verb string, err error) {
	if err != nil && ctx.Err() == nil {
		l.onError(fmt.Errorf("%s the Lease %s: %w", verb, l.Describe(), err))
	}
}
