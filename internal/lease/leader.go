// Package lease has replicas agree on one of them by a Lease in a Kubernetes cluster,
// with client-go's leader election.
package lease

import (
	"context"
	"errors"
	"fmt"
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

// Name is the Lease of a process that is no shard, and begins the names of all others.
const Name = "kratix-schedule"

// ErrNotLeading ends a process: another leads now.
var ErrNotLeading = errors.New("the lease was lost to another replica, or could not be renewed")

// Leader holds a Lease, or waits for it.
type Leader struct {
	// Leases are those of the cluster. Namespace and Lease name the one to hold.
	Leases           client.LeasesGetter
	Namespace, Lease string
	// Self is the name of the holder. A Shared Lease is held by all processes of that
	// name at once, and is not given back in the end: others may still hold it.
	Self   string
	Shared bool
	// Duration is after how long without a renewal another takes over.
	Duration time.Duration
}

func (l *Leader) lock() *resourcelock.LeaseLock {
	return &resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Name: l.Lease, Namespace: l.Namespace},
		Client:     l.Leases,
		LockConfig: resourcelock.ResourceLockConfig{Identity: l.Self},
	}
}

// Lead does work as soon as, and only while, this replica leads. The Lease is
// kept until work has ended, so that what is in hand is written before another
// begins. Once the Lease is lost Lead ends with ErrNotLeading: a process that
// starts anew is in a known state. tell is called with why the Lease cannot be had.
func (l *Leader) Lead(ctx context.Context, tell func(error), work func(context.Context) error) error {
	// What the Kubernetes client would log by itself comes to tell.
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
		Lock: &toldLock{l.lock(), tell}, LeaseDuration: l.Duration, RenewDeadline: l.Duration * 2 / 3, RetryPeriod: l.Duration / 7,
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
		return nil // it was asked to stop before it led
	}
	if err := <-ended; err != nil || ctx.Err() != nil {
		return err
	}
	return ErrNotLeading
}

// toldLock reports what else would only be logged by the Kubernetes client.
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
