package main

import (
	"cmp"
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	coordination "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/lease"
)

type leaseFlags struct {
	elect     bool
	namespace string
	duration  time.Duration
}

func (f *leaseFlags) add(c *cobra.Command) {
	c.Flags().BoolVar(&f.elect, "leader-elect", false, "with --kube, work only while holding a Lease, so that of several replicas one works. The Lease is "+lease.Name+", or one for each --watch-label-selector")
	c.Flags().StringVar(&f.namespace, "lease-namespace", "", "namespace of the Leases; by default the Pod's, else "+kratix.SystemNamespace)
	c.Flags().DurationVar(&f.duration, "lease-duration", 15*time.Second, "how long other replicas wait for one that no longer renews its Lease")
}

func (f *leaseFlags) check() error {
	const shortest = 3 * time.Second
	if f.elect && f.duration < shortest {
		return errors.New("--lease-duration must be 3s or more")
	}
	return nil
}

func (f *leaseFlags) identity() string {
	if name := os.Getenv("POD_NAME"); name != "" {
		return name
	}
	return hostname()
}

func (f *leaseFlags) leaseNamespace() string {
	return cmp.Or(f.namespace, ownNamespace())
}

// ownNamespace returns the namespace of this Pod, or Kratix's namespace if there is no Pod.
func ownNamespace() string {
	const mounted = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
	if text, err := os.ReadFile(mounted); err == nil && len(text) > 0 {
		return strings.TrimSpace(string(text))
	}
	return kratix.SystemNamespace
}

// leader runs work while this process leads, and calls trouble with errors of the election.
type leader func(ctx context.Context, trouble func(error), work func(context.Context) error) error

// leader returns the leader election for the state stores of a selector, or nil without leader
// election. All shards share a second Lease, which excludes a process without a selector.
func (f *leaseFlags) leader(config *rest.Config, identity string, selector shardSelector) (leader, error) {
	if !f.elect {
		return nil, nil
	}
	leases, err := coordination.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	own := &lease.Leader{Leases: leases, Namespace: f.leaseNamespace(), Lease: selector.lease(), Self: identity, Duration: f.duration}
	if !selector.isSet() {
		return own.Lead, nil
	}
	all := *own
	all.Lease, all.Self, all.Shared = lease.Name, "shards", true
	return func(ctx context.Context, trouble func(error), work func(context.Context) error) error {
		return own.Lead(ctx, trouble, func(ctx context.Context) error { return all.Lead(ctx, trouble, work) })
	}, nil
}
