package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/kratix-schedule/kratix-schedule/internal/agent/manifests"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/source/kube"
)

type agentFlags struct {
	input     inputFlags
	kube      bool
	api       apiFlags
	eventsURL string
	noEvents  bool
	options   manifests.Options
}

func agentCommand(std streams) *cobra.Command {
	command := &cobra.Command{
		Use:     "agent",
		Short:   "Print what Flux or Argo CD needs to read a Destination and to report back",
		Example: `  kratix-schedule agent flux worker-1 -f testdata/agents --no-events`,
		Args:    noSubcommand,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	command.AddCommand(agentFluxCommand(std), agentArgoCommand(std))
	return command
}

func agentFluxCommand(std streams) *cobra.Command {
	var flags agentFlags
	command := &cobra.Command{
		Use:   "flux DESTINATION -f PATH --events-url URL",
		Short: "Print what Flux needs to read a Destination and to report back",
		Long: `Print the objects with which Flux, in the cluster of a Destination, applies the
Destination's files and sends its events to run: a GitRepository or a Bucket, a
Kustomization for each directory that Flux builds, a Provider, and an Alert for
each Kustomization. They are ready for kubectl apply. Comments name the Secrets that
must exist in that cluster, with their keys; no value of a Secret is printed.

With notification-controller 1.9 or later (Flux 2.9) every finished reconciliation is
reported; earlier versions report those that change something, and failures.`,
		Example: `  kratix-schedule agent flux worker-1 -f testdata/agents --events-url https://kratix.example.com
  kratix-schedule agent flux worker-1 --kube --context platform --events-url https://kratix.example.com | kubectl --context worker-1 apply -f -`,
		Args:              oneDestination,
		ValidArgsFunction: flags.complete(std),
		RunE: func(c *cobra.Command, args []string) error {
			return runAgent(c, args[0], &flags, std, manifests.Flux)
		},
	}
	flags.add(command)
	command.Flags().StringVar(&flags.options.Namespace, "namespace", "flux-system", "namespace of the objects")
	command.Flags().StringVar(&flags.options.SourceSecret, "source-secret", "", "name of the Secret with the credentials of the state store; by default the Destination's name with -source")
	command.Flags().StringVar(&flags.options.VerifySecret, "verify-secret", "", "name of the Secret with the public key with which Flux verifies the signatures of an OCIStateStore; without it, Flux does not verify them")
	command.Flags().StringVar(&flags.options.EventsSecret, "events-secret", "kratix-schedule-events", "name of the Secret with the secret of events, in its key token")
	command.Flags().DurationVar(&flags.options.Interval, "interval", 10*time.Minute, "time after which Flux applies everything again, if nothing has changed")
	command.Flags().DurationVar(&flags.options.Timeout, "timeout", 5*time.Minute, "how long an apply and its health checks may take, at least 30s")
	return command
}

func agentArgoCommand(std streams) *cobra.Command {
	var flags agentFlags
	command := &cobra.Command{
		Use:   "argocd DESTINATION -f PATH --events-url URL",
		Short: "Print what Argo CD needs to read a Destination and to report back",
		Long: `Print the objects with which Argo CD applies a Destination's files and sends events
to run: an Application for each directory that is applied as a unit, and the
configuration of its notifications. Comments name the credentials that must exist.
No value of a Secret is printed. The ConfigMap of the notifications belongs to others
too: apply it with kubectl apply --server-side.

The Destination must be on a GitStateStore or an OCIStateStore. Argo CD does not build kustomizations in
subdirectories, as Flux does.`,
		Example: `  kratix-schedule agent argocd worker-1 -f testdata/agents --events-url https://kratix.example.com
  kratix-schedule agent argocd worker-1 --kube --context platform --events-url https://kratix.example.com | kubectl --context argocd apply --server-side --field-manager=kratix-schedule -f -`,
		Args:              oneDestination,
		ValidArgsFunction: flags.complete(std),
		RunE: func(c *cobra.Command, args []string) error {
			return runAgent(c, args[0], &flags, std, manifests.ArgoCD)
		},
	}
	flags.add(command)
	command.Flags().StringVar(&flags.options.Namespace, "namespace", "argocd", "namespace of the objects: that of Argo CD")
	command.Flags().StringVar(&flags.options.Project, "project", "default", "project of the Applications")
	command.Flags().StringVar(&flags.options.Server, "server", "https://kubernetes.default.svc", "API server of the Destination's cluster, as it is registered in Argo CD")
	return command
}

func (f *agentFlags) add(c *cobra.Command) {
	f.input.add(c)
	c.Flags().BoolVar(&f.kube, "kube", false, "read the Destination and its state store from the Kubernetes API")
	f.api.add(c)
	c.Flags().StringVar(&f.eventsURL, "events-url", "", "address at which the cluster of the Destination reaches run --events-secret-file, such as https://kratix.example.com")
	c.Flags().BoolVar(&f.noEvents, "no-events", false, "leave out what reports back")
}

// leastFluxTimeout is the shortest timeout that kustomize-controller uses for a Kustomization.
const leastFluxTimeout = 30 * time.Second

func (f *agentFlags) check(c *cobra.Command) error {
	switch {
	case f.kube && len(f.input.paths) > 0:
		return usage(c, "--kube reads from the Kubernetes API; leave --filename out")
	case f.eventsURL == "" && !f.noEvents:
		return usage(c, "--events-url is missing: name the address at which the cluster reaches run, or give --no-events")
	case f.eventsURL != "" && f.noEvents:
		return usage(c, "--events-url and --no-events contradict each other")
	case c.Flags().Changed("interval") && f.options.Interval < time.Second:
		return usage(c, "--interval must be at least 1s")
	case c.Flags().Changed("timeout") && f.options.Timeout < leastFluxTimeout:
		return usage(c, fmt.Sprintf("--timeout %s: Flux raises a shorter timeout to %s; give at least that", f.options.Timeout, leastFluxTimeout))
	}
	if err := f.checkNames(c); err != nil {
		return err
	}
	if f.eventsURL != "" {
		base, err := manifests.ParseEventsURL(f.eventsURL)
		if err != nil {
			return usage(c, fmt.Sprintf("--events-url %s: %v", f.eventsURL, err))
		}
		f.options.EventsURL = base
	}
	return nil
}

func (*agentFlags) checkNames(c *cobra.Command) error {
	for _, flag := range []string{"namespace", "source-secret", "events-secret", "project"} {
		given := c.Flags().Lookup(flag)
		if given != nil && given.Changed && len(validation.IsDNS1123Subdomain(given.Value.String())) > 0 {
			return usage(c, fmt.Sprintf("--%s %s: it cannot be the name of an object", flag, given.Value))
		}
	}
	return nil
}

type render func(*kratix.Destination, kratix.Object, manifests.Options) ([]byte, error)

func runAgent(c *cobra.Command, name string, flags *agentFlags, std streams, of render) error {
	if err := flags.check(c); err != nil {
		return err
	}
	snapshot, err := flags.snapshot(c, std)
	if err != nil {
		return err
	}
	found := slices.IndexFunc(snapshot.Destinations, func(d *kratix.Destination) bool { return d.Name == name })
	if found < 0 {
		return absentDestination(c, name, snapshot, std)
	}
	destination := snapshot.Destinations[found]
	ref := *destination.Spec.StateStoreRef // a Destination without a state store is rejected when it is read
	store := snapshot.Find(ref)
	if store == nil {
		return exit{code: exitFindings, text: fmt.Sprintf("%s of %s is not in the input", ref, kratix.Describe(destination))}
	}
	text, err := of(destination, store, flags.options)
	if err != nil {
		return exit{code: exitFindings, text: err.Error()}
	}
	_, err = std.out.Write(text)
	return err
}

func (f *agentFlags) snapshot(c *cobra.Command, std streams) (source.Snapshot, error) {
	if !f.kube {
		in, err := f.input.source(c, std)
		if err != nil {
			return source.Snapshot{}, err
		}
		snapshot, err := in.Snapshot(c.Context())
		return snapshot, inputError(err)
	}
	config, err := f.api.config("--kube")
	if err != nil {
		return source.Snapshot{}, err
	}
	ctx, cancel := context.WithCancel(quiet(c.Context()))
	defer cancel()
	follows, err := kube.New(config, kube.Options{Now: time.Now, NoSecrets: true, OCIStores: true, NamedStores: true})
	if err != nil {
		return source.Snapshot{}, err
	}
	follows.Follow(ctx)
	return follows.Snapshot(ctx)
}

func absentDestination(c *cobra.Command, name string, snapshot source.Snapshot, std streams) error {
	object := kratix.DestinationKind + " "
	var about []finding.Finding
	for _, f := range snapshot.Findings {
		if rest, ok := strings.CutPrefix(f.Place.Object, object); ok && (rest == name || strings.HasSuffix(rest, "/"+name)) {
			about = append(about, f)
		}
	}
	if len(about) > 0 {
		if err := report.Text(std.err, about); err != nil {
			return err
		}
		return exit{code: exitFindings, text: "Destination " + name + " cannot be read"}
	}
	names := make([]string, 0, len(snapshot.Destinations))
	for _, d := range snapshot.Destinations {
		names = append(names, d.Name)
	}
	slices.Sort(names)
	if len(names) == 0 {
		return usage(c, "there is no Destination in the input")
	}
	const most = 10
	listed := strings.Join(names[:min(len(names), most)], ", ")
	if len(names) > most {
		listed += fmt.Sprintf(" and %d more", len(names)-most)
	}
	return usage(c, fmt.Sprintf("there is no Destination %s in the input; there are %s", name, listed))
}

func (f *agentFlags) complete(std streams) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 || !f.kube && len(f.input.paths) == 0 || slices.Contains(f.input.paths, "-") {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		const longest = 3 * time.Second
		ctx, cancel := context.WithTimeout(c.Context(), longest)
		defer cancel()
		c.SetContext(ctx)
		std.in = bytes.NewReader(nil)
		snapshot, err := f.snapshot(c, std)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []cobra.Completion
		for _, d := range snapshot.Destinations {
			names = append(names, d.Name)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}
