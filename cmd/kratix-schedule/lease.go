package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	coordination "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/share"
	"github.com/kratix-schedule/kratix-schedule/internal/share/lease"
)

// leaseFlags say whether, and where, replicas agree on one of them, or share.
type leaseFlags struct {
	elect     bool
	share     bool
	namespace string
	duration  time.Duration
}

func (f *leaseFlags) add(c *cobra.Command) {
	c.Flags().BoolVar(&f.elect, "leader-elect", false, "with --kube, work only while holding the Lease "+lease.LeaderName+", so that of several replicas one works")
	c.Flags().BoolVar(&f.share, "replicas-share", false, "with --kube, work beside other replicas: each writes to a part of the state stores, and takes over those of one that is gone; every replica must have it")
	c.Flags().StringVar(&f.namespace, "lease-namespace", "", "namespace of the Leases; by default the Pod's, else "+kratix.SystemNamespace)
	c.Flags().DurationVar(&f.duration, "lease-duration", 15*time.Second, "how long others wait for a replica that says nothing any more")
}

// check returns which flags cannot be combined.
func (f *leaseFlags) check(flags runFlags) error {
	const shortest = 3 * time.Second
	switch {
	case (f.elect || f.share) && f.duration < shortest:
		return errors.New("--lease-duration must be 3s or more")
	case f.share && f.elect:
		return errors.New("--leader-elect has one replica work, --replicas-share all: choose one")
	case f.share && (flags.once || flags.dryRun):
		return errors.New("--replicas-share is for replicas that go on writing: leave --once and --dry-run out")
	}
	return nil
}

// identity names this replica: in a cluster, its Pod.
func (f *leaseFlags) identity() string {
	if name := os.Getenv("POD_NAME"); name != "" {
		return name
	}
	return hostname()
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

// replica is this process among its like. The zero value is alone.
type replica struct {
	// leader is nil when there is nothing to agree on.
	leader *lease.Leader
	// keeper is nil unless replicas share the work.
	keeper *lease.Keeper
}

// replica returns what the flags mean; changed is called when some of the work may
// have come or gone.
func (f *leaseFlags) replica(config *rest.Config, identity string, changed func()) (replica, error) {
	if !f.elect && !f.share {
		return replica{}, nil
	}
	leases, err := coordination.NewForConfig(config)
	if err != nil {
		return replica{}, err
	}
	r := replica{leader: &lease.Leader{Leases: leases, Namespace: f.leaseNamespace(), Self: identity, Shared: f.share, Duration: f.duration}}
	if f.share {
		r.keeper = &lease.Keeper{
			Leases: leases.Leases(f.leaseNamespace()), Self: identity, Share: share.New(identity, time.Now), Duration: f.duration, Now: time.Now, Changed: changed,
		}
	}
	return r, nil
}

// share is nil unless replicas share the work.
func (r replica) share() *share.Share {
	if r.keeper == nil {
		return nil
	}
	return r.keeper.Share
}

// lead does work while this replica leads, or is one of those that share it.
func (r replica) lead(ctx context.Context, tell func(error), work func(context.Context) error) error {
	if r.keeper == nil {
		return r.leader.Lead(ctx, tell, work)
	}
	r.keeper.Trouble = tell
	return r.leader.Lead(ctx, tell, func(ctx context.Context) error { return r.keeper.While(ctx, work) })
}
