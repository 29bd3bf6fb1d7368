package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/internal/daemon"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/statestore/open"
)

type runFlags struct {
	input  inputFlags
	git    gitFlags
	branch branchFlags
	once   bool
	dryRun bool
	policy policyFlags
	follow followFlags
	kube   kubeFlags
	volume volumeFlags
	output formatFlag
	// allowed is the file that allows removals. delay is the time that an object must be missing
	// before it is removed.
	allowed allowanceFile
	delay   time.Duration
}

// removalDelay is longer than the checkout of a large repository takes.
const removalDelay = 10 * time.Second

func runCommand(std streams) *cobra.Command {
	flags := runFlags{output: newFormatFlag(report.FormatNames()[1:]...)}
	command := &cobra.Command{
		Use:   "run -f PATH [--once]",
		Short: "Place Works and write them to their state stores",
		Long: `Place every Work on the Destinations that fit, and write it to their state
stores. What would break a Destination is held back; everything else is written.

Without --once, run watches the input and works until it receives a signal to stop.`,
		Example: `  kratix-schedule run -f testdata/elastic-cloud --once
  kubectl get works,destinations,gitstatestores -A -o yaml | kratix-schedule run -f - -f secrets/ --once`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := flags.kube.promote.configure(c); err != nil {
				return err
			}
			return runRun(c, flags, std)
		},
	}
	flags.input.add(command)
	flags.policy.add(command)
	flags.git.add(command)
	flags.branch.add(command)
	command.Flags().BoolVar(&flags.once, "once", false, "do one round and exit")
	command.Flags().BoolVar(&flags.dryRun, "dry-run", false, "do everything but write to a state store, and print what would be written. With --kube, Kratix continues to write, and only conflicts are reported, by the condition ConflictFree and by events")
	flags.allowed.add(command)
	command.Flags().DurationVar(&flags.delay, "removal-delay", removalDelay, "how long an object must be missing from the watched files before it counts as removed")
	flags.follow.add(command)
	flags.kube.add(command)
	flags.volume.add(command)
	flags.output.add(command, "the result of --once")
	return command
}

func runRun(c *cobra.Command, flags runFlags, std streams) error {
	if !flags.once && len(flags.output.outputs) > 0 {
		return usage(c, "--output is the format of one result: add --once")
	}
	if flags.kube.enabled {
		return runKube(c, flags, std)
	}
	if err := flags.kube.check(flags); err != nil {
		return usage(c, err.Error())
	}
	in, err := flags.input.source(c, std)
	if err != nil {
		return err
	}
	in.RemovalDelay = flags.delay
	commits, err := flags.git.parse(c, flags.policy.owner)
	if err != nil {
		return err
	}
	reconciler := &reconcile.Reconciler{
		Source: in, Stores: storesOf(commits, flags.branch), Finish: reconcile.Commit,
		Policy: flags.policy.policy(), Pause: pause, Builder: std.builder,
		Now: time.Now, Allowed: flags.allowed.reader(), Missing: in.Missing,
	}
	if flags.dryRun {
		reconciler.Stores, reconciler.Finish = open.ReadOnly{Opener: reconciler.Stores}, reconcile.Rehearse
	}
	volume, err := flags.volume.volume(c)
	if err != nil {
		return err
	}
	if !flags.once {
		return follow(c, &daemon.Daemon{Reconciler: reconciler}, flags.follow.at(c, volume), std)
	}
	result, err := reconciler.Round(c.Context())
	if err != nil {
		return inputError(err)
	}
	if err := flags.printResult(std, result, volume); err != nil {
		return err
	}
	return verdict(result)
}

func (f *runFlags) printResult(std streams, result report.Report, volume report.Volume) error {
	out := f.output.begin(std)
	if err := printRun(out, result, volume); err != nil {
		return err
	}
	return out.end(func(to io.Writer, format string) error { return writeReport(to, format, result, report.Written) })
}

func printRun(out io.Writer, result report.Report, volume report.Volume) error {
	if volume == report.Quiet {
		return report.Text(out, volume.Shown(result.Findings))
	}
	if err := result.PlacementLines(out); err != nil {
		return err
	}
	for _, store := range result.Stores {
		if len(store.Destinations) > 0 {
			_, _ = fmt.Fprintf(out, "wrote %s at %s\n", printable.Line(store.Name), printable.Line(store.Revision))
		}
	}
	if err := report.Text(out, volume.Shown(result.Findings)); err != nil {
		return err
	}
	if line := result.ProfileLine(); line != "" {
		_, _ = fmt.Fprintln(out, printable.Line(line))
	}
	_, err := fmt.Fprintln(out, result.Summary())
	return err
}

func verdict(result report.Report) error {
	switch {
	case result.Has(finding.StoreFailed()):
		return exit{code: exitFailure}
	case result.Worst() >= finding.Error:
		return exit{code: exitFindings}
	}
	return nil
}

// pause waits for a random time before the next try of a round, so that two writers do not collide
// again.
func pause(ctx context.Context, attempt int) {
	select {
	case <-ctx.Done():
	case <-time.After(jitter(attempt)):
	}
}

// jitter returns a random delay below 50 ms, doubled for each attempt.
func jitter(attempt int) time.Duration {
	return rand.N(50 * time.Millisecond << attempt) //nolint:gosec // no secrecy is needed
}
