package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/report"
	"github.com/kratix-schedule/kratix-schedule/source/kube"
	"github.com/kratix-schedule/kratix-schedule/status"
	"github.com/kratix-schedule/kratix-schedule/status/apply"
)

// kubeFlags say how run works beside a controller, in a cluster.
type kubeFlags struct {
	enabled    bool
	kubeconfig string
	context    string
	lease      leaseFlags
}

func (f *kubeFlags) add(c *cobra.Command) {
	c.Flags().BoolVar(&f.enabled, "kube", false, "read Works and Destinations from the Kubernetes API, and write WorkPlacements, conditions and events back")
	c.Flags().StringVar(&f.kubeconfig, "kubeconfig", "", "kubeconfig for --kube; by default $KUBECONFIG, ~/.kube/config, or the Pod's ServiceAccount")
	c.Flags().StringVar(&f.context, "context", "", "context of the kubeconfig")
	f.lease.add(c)
}

// cluster is a Kubernetes API that is read from and written to.
type cluster struct {
	source *kube.Source
	writer *apply.Writer
	mode   status.Mode
	leader *leader
}

// open connects to the cluster that the flags name, and begins to follow it.
func (f *kubeFlags) open(c *cobra.Command, mode status.Mode) (*cluster, error) {
	config, err := f.config()
	if err != nil {
		return nil, exit{code: exitUsage, text: "--kube: " + err.Error()}
	}
	follows, err := kube.New(config)
	if err != nil {
		return nil, err
	}
	identity := f.lease.identity()
	writer, err := apply.New(config, time.Now, identity)
	if err != nil {
		return nil, err
	}
	opened := &cluster{source: follows, writer: writer, mode: mode}
	if opened.leader, err = f.lease.leader(config, identity); err != nil {
		return nil, usage(c, err.Error())
	}
	follows.Follow(c.Context())
	return opened, nil
}

func (f *kubeFlags) config() (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = f.kubeconfig
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: f.context}).ClientConfig()
	if err != nil {
		return nil, err
	}
	// The API server shares its time out among its clients by itself.
	config.QPS = -1
	config.UserAgent = "kratix-schedule/" + version
	return config, nil
}

// tell writes to the cluster what a round came to. It tells whether the next
// round has more to do.
func (k *cluster) tell(ctx context.Context, said report.Report) (calls map[string]int, again bool, err error) {
	changes := status.Plan(said, status.Objects(k.source.Objects()), k.mode, metav1.NewTime(time.Now()).Rfc3339Copy())
	outcome := k.writer.Apply(ctx, changes)
	written := make([]kube.Written, 0, len(outcome.Written))
	for _, w := range outcome.Written {
		written = append(written, kube.Written(w))
	}
	k.source.Await(ctx, written)
	return outcome.Calls, outcome.Stale, outcome.Err
}

// runKube is run with --kube.
func runKube(c *cobra.Command, flags runFlags, std streams) error {
	if len(flags.input.paths) > 0 {
		return usage(c, "--kube reads from the Kubernetes API; leave --filename out")
	}
	commits, err := flags.git.parse(c, flags.policy.owner)
	if err != nil {
		return err
	}
	mode := status.Manage
	if flags.dryRun {
		mode = status.Observe
	}
	opened, err := flags.kube.open(c, mode)
	if err != nil {
		return err
	}
	reconciler := &reconcile.Reconciler{
		Source: opened.source, Stores: newRealStores(commits), Finish: reconcile.Commit,
		Policy: flags.policy.policy(), Pause: pause, Builder: std.builder,
	}
	if flags.dryRun {
		reconciler.Stores, reconciler.Finish = readOnlyStores{reconciler.Stores}, reconcile.Rehearse
	}
	if !flags.once {
		return follow(c, reconciler, flags.follow, beside{lead: opened.leading(), tell: opened.tell}, std)
	}
	result, err := reconciler.Round(c.Context())
	if err != nil {
		return err
	}
	if err := printRun(std.out, result); err != nil {
		return err
	}
	if _, _, err := opened.tell(c.Context(), result); err != nil {
		return err
	}
	return verdict(result)
}

// leading is nil when there is nothing to agree on.
func (k *cluster) leading() func(context.Context, func(error), func(context.Context) error) error {
	if k.leader == nil {
		return nil
	}
	return k.leader.lead
}

// quiet keeps what the Kubernetes client logs by itself out of the log: what
// matters of it comes back as errors.
func quiet(ctx context.Context) context.Context { return klog.NewContext(ctx, logr.Discard()) }

// errLostLease ends the process: another leads now.
var errLostLease = errors.New("the lease was lost to another replica, or could not be renewed")

// hostname names this process where no one else does.
func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		name = "unknown"
	}
	return fmt.Sprintf("%s-%d", name, os.Getpid())
}
