package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	coordination "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/handover"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/lease"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/internal/projected"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/status"
	"github.com/kratix-schedule/kratix-schedule/internal/status/apply"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/source/kube"
	"github.com/kratix-schedule/kratix-schedule/statestore/open"
)

type handoverFlags struct {
	api       apiFlags
	names     nameFlag
	unpacked  unpackedFlag
	remove    bool
	unread    bool
	namespace string
}

func handoverCommand(std streams) *cobra.Command {
	var flags handoverFlags
	command := &cobra.Command{
		Use:   "handover [--remove-placements]",
		Short: "Show what Kratix would break if it placed and wrote everything again",
		Long: `Report whether Kratix's controller may be started again after mode manage, or may
place Works again after mode schedule. It then places every Work that has no
WorkPlacement, on any Destination that fits, and writes every WorkPlacement with what
its Work has now, including what is held back. The command reads the cluster and the
state stores, plans that, and prints each placement that would break a Destination:
the object, the other owner, and what to do. It changes nothing.

--remove-placements removes the WorkPlacements that are held back and were never
written, as earlier versions of this program created them; their finalizers are
removed first. Everything else stays. If a change is held back, the WorkPlacement has
what is written, and the Work is what must be corrected. What may have been written
stays, too: in mode aggregatedYAML that cannot be known.

The roles of deploy/base and of deploy/schedule allow it, with those of
deploy/secrets; without --remove-placements that of deploy/observe is enough.

Exit status: 0 it is safe to start Kratix; 1 something would break, or cannot be
read; 2 wrong usage; 3 the API or a state store cannot be read.`,
		Example: `  kratix-schedule handover --context my-cluster
  kratix-schedule handover --context my-cluster --remove-placements`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return runHandover(c, flags, std) },
	}
	flags.api.add(command)
	flags.names.add(command)
	flags.unpacked.add(command)
	command.Flags().BoolVar(&flags.remove, "remove-placements", false, "remove the WorkPlacements that are held back and were never written")
	command.Flags().BoolVar(&flags.unread, "without-stores", false, "compare WorkPlacements alone and read no state store: what others have put there is not noticed")
	command.Flags().StringVar(&flags.namespace, "lease-namespace", "kratix-schedule", "namespace of the Leases of run; a warning says which replica holds one, or that it is not known whether any runs")
	return command
}

func runHandover(c *cobra.Command, flags handoverFlags, std streams) error {
	if flags.remove && flags.unread {
		return usage(c, "--remove-placements has to know what is written: leave --without-stores out")
	}
	config, err := flags.api.config("the Kubernetes API")
	if err != nil {
		return err
	}
	ctx := quiet(c.Context())
	follows, err := kube.New(config, kube.Options{Now: time.Now, Contents: true, NoSecrets: flags.unread})
	if err != nil {
		return err
	}
	follows.Follow(ctx)
	h := &handoverOf{flags: flags, source: follows, std: std}
	if flags.remove {
		if err := h.removePlacements(ctx, config); err != nil {
			return err
		}
	}
	verdict, snapshot, err := h.judge(ctx)
	if err != nil {
		return err
	}
	if err := warnOfReplicas(ctx, config, flags.namespace, std.err); err != nil {
		return err
	}
	return printHandover(std.out, verdict, snapshot)
}

type handoverOf struct {
	flags  handoverFlags
	source *kube.Source
	std    streams
}

func (h *handoverOf) reconciler(from source.Source) *reconcile.Reconciler {
	return &reconcile.Reconciler{
		Source: from, Stores: open.ReadOnly{Opener: storesOf(open.Commits{}, branchFlags{})}, Finish: reconcile.Preview, Builder: h.std.builder, Now: time.Now,
		Policy: reconcile.Policy{Adopt: true, AllowNames: h.flags.names, MaxUnpacked: int64(h.flags.unpacked.most)},
	}
}

func (h *handoverOf) judge(ctx context.Context) (handover.Verdict, source.Snapshot, error) {
	expanded := &expandedSource{Source: h.source, most: int64(h.flags.unpacked.most)}
	reconciler := h.reconciler(expanded)
	reconciler.Policy.MaxUnpacked = math.MaxInt64 // the expanded input has the same contents many times
	reconciler.Policy.Unrecorded = true
	reconciler.Stores = &projected.Stores{Opener: reconciler.Stores, Unread: h.flags.unread, Now: time.Now, Implied: expanded.impliedPlacements}
	result, err := interruptible(ctx, reconciler.Round)
	if err != nil {
		return handover.Verdict{}, source.Snapshot{}, err
	}
	return expanded.takeover.Judge(result), expanded.was, nil
}

// expandedSource is a source that adds the placements that Kratix could create.
type expandedSource struct {
	source.Source
	most     int64
	takeover handover.Takeover
	was      source.Snapshot
}

func (s *expandedSource) impliedPlacements() []projected.ImpliedPlacement {
	heirs := make([]projected.ImpliedPlacement, 0, len(s.takeover.Implied))
	for _, h := range s.takeover.Implied {
		heirs = append(heirs, projected.ImpliedPlacement{WorkPlacement: h.Stands, Of: h.Of})
	}
	return heirs
}

func (s *expandedSource) Snapshot(ctx context.Context) (source.Snapshot, error) {
	var err error
	if s.was, err = s.Source.Snapshot(ctx); err != nil {
		return source.Snapshot{}, err
	}
	s.takeover = handover.Expand(reconcile.Within(s.was, s.most))
	return s.takeover.Input, nil
}

func (h *handoverOf) removePlacements(ctx context.Context, config *rest.Config) error {
	result, err := interruptible(ctx, h.reconciler(h.source).Round)
	if err != nil {
		return err
	}
	if err := storeFailures(h.std.out, result.Findings); err != nil {
		return err
	}
	var changes []status.Change
	objects := h.source.Objects()
	for _, p := range handover.Removable(result, objects.WorkPlacements, objects.Destinations) {
		changes = append(changes, status.Removal(p))
	}
	writer, err := apply.New(config, time.Now, hostname())
	if err != nil {
		return err
	}
	outcome := writer.Apply(ctx, [][]status.Change{changes})
	for _, w := range outcome.Written {
		_, _ = fmt.Fprintf(h.std.out, "removed  %s %s\n", w.Kind, printable.Line(w.Key.String()))
	}
	awaitWritten(ctx, h.source, outcome)
	if outcome.Err != nil {
		return outcome.Err
	}
	return printRefused(h.std.out, outcome.Refused)
}

// warnOfReplicas prints a warning for each process that holds a Lease, or one warning if none is
// known.
func warnOfReplicas(ctx context.Context, config *rest.Config, namespace string, out io.Writer) error {
	leases, err := coordination.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("connect to the Kubernetes API: %w", err)
	}
	holders, err := lease.Holders(ctx, leases, namespace, time.Now())
	for _, h := range holders {
		_, _ = fmt.Fprintf(out, "warning: %s runs, as the Lease %s/%s says: what it places or writes from now on is not checked; stop it before Kratix is started\n",
			printable.Line(h.Name), printable.Line(namespace), printable.Line(h.Lease))
	}
	if len(holders) > 0 {
		return nil
	}
	why := "no Lease in the namespace " + namespace + " says so"
	if err != nil {
		why = err.Error()
	}
	_, _ = fmt.Fprintf(out, "warning: it is not known whether a replica runs: %s (--lease-namespace names another namespace), and a replica that runs alone has no Lease; stop all replicas before Kratix is started\n",
		printable.Line(why))
	return nil
}

func isOfStore(f finding.Finding) bool {
	return f.Rule == finding.StoreFailed() || f.Rule == finding.UnreadableInput() && strings.HasPrefix(f.Place.Object, kratix.SecretKind+" ")
}

func describeBreak(b handover.Break) string {
	how := "Kratix would place it there"
	if b.Fitting > b.Others+1 {
		how = "Kratix may place it there"
	}
	switch {
	case b.WorkPlacement != "":
		return "Kratix would write WorkPlacement " + b.WorkPlacement
	case b.Others > 0:
		return fmt.Sprintf("%s, or on another that fits (%d would break as well)", how, b.Others)
	case b.Fitting > 1:
		return fmt.Sprintf("%s, one of %d that fit", how, b.Fitting)
	}
	return how
}

func printHandover(out io.Writer, verdict handover.Verdict, snapshot source.Snapshot) error {
	findings := verdict.Unknown
	for _, b := range verdict.Breaks {
		findings = append(findings, b.Findings...)
	}
	if err := report.Text(out, findings); err != nil {
		return err
	}
	for _, b := range verdict.Breaks {
		name := b.Work
		if b.Directory != kratix.DefaultDirectory && b.Directory != "" {
			name += " [" + b.Directory + "]"
		}
		_, _ = fmt.Fprintf(out, "would break  %s  on %s: %s; %s\n", printable.Line(name), printable.Line(b.Destination), printable.Line(describeBreak(b)), printable.Line(b.Reason))
	}
	switch {
	case slices.ContainsFunc(verdict.Unknown, isOfStore):
		_, _ = fmt.Fprintln(out, "not known: a state store cannot be read")
		return exit{code: exitFailure}
	case verdict.IsSafe():
		_, err := fmt.Fprintf(out, "safe: Kratix may be started; it would break nothing with %s and %s\n",
			countOf(len(snapshot.Works), "Work"), countOf(len(snapshot.WorkPlacements), "WorkPlacement"))
		return err
	case len(verdict.Breaks) == 0:
		_, _ = fmt.Fprintln(out, "not known: correct what cannot be read before Kratix is started")
	default:
		_, _ = fmt.Fprintf(out, "not safe: %s would break a Destination; delete or change the Works before Kratix is started, or before the binding of the admission policy is removed\n",
			countOf(len(verdict.Breaks), "placement"))
	}
	return exit{code: exitFindings}
}
