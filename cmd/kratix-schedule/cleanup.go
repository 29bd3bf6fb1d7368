package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/internal/promoted"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
)

type cleanupFlags struct {
	input        inputFlags
	git          gitFlags
	branch       branchFlags
	owner        string
	adopt, apply bool
	live         liveStores
}

func cleanupCommand(std streams) *cobra.Command {
	var flags cleanupFlags
	command := &cobra.Command{
		Use:   "cleanup DESTINATION -f PATH [--apply]",
		Short: "Show or remove what a Destination has left at earlier locations",
		Long: `Print which placements of a Destination lie in directories that no Destination has
any more: it is gone, or its path or state store has changed. A cluster that still
reads there runs them, and deletes them when they are removed.

With --apply they are removed, with their records and canaries. What is not yet
written at the Destination's new location stays. For a Destination that is promoted,
by its annotation kratix-schedule.io/state-store or by --live-store, the location is
the one in its live state store, and what Kratix writes for it elsewhere stays. If
the annotation cannot be used, or if a live store is known to exist but is not named,
nothing is removed.

Exit status: 0 nothing is left, or all is removed; 1 there is something to remove;
2 and 3 as for run.`,
		Example: `  kratix-schedule cleanup worker-1 -f testdata/elastic-cloud
  kratix-schedule cleanup worker-1 -f testdata/elastic-cloud --apply`,
		Args: oneDestination,
		RunE: func(c *cobra.Command, args []string) error {
			if err := configureOne(c, "live-store"); err != nil {
				return err
			}
			return runCleanup(c, args[0], flags, std)
		},
	}
	flags.input.add(command)
	flags.git.add(command)
	flags.branch.add(command)
	command.Flags().StringVar(&flags.owner, "owner-id", "", "id of this controller; what another id has recorded is left alone")
	command.Flags().BoolVar(&flags.adopt, "adopt", false, "remove what another owner has recorded, too")
	command.Flags().Var(&flags.live, "live-store", "the live state store of Destinations that are promoted and have no annotation, as KIND/NAME=KIND/NAME, as for run --promote")
	configurable(command, "live-store")
	addConfigFlag(command)
	command.Flags().BoolVar(&flags.apply, "apply", false, "remove it")
	return command
}

func runCleanup(c *cobra.Command, destination string, flags cleanupFlags, std streams) error {
	in, err := flags.input.source(c, std)
	if err != nil {
		return err
	}
	commits, err := flags.git.parse(c, flags.owner)
	if err != nil {
		return err
	}
	finish := reconcile.Preview
	if flags.apply {
		finish = reconcile.Commit
	}
	onLive := &promoted.LiveCleanup{Source: in, Live: flags.live.stores, Of: destination}
	reconciler := &reconcile.Reconciler{
		Source: onLive, Stores: storesOf(commits, flags.branch), Finish: finish, Builder: std.builder,
		Policy: reconcile.Policy{Owner: flags.owner, Adopt: flags.adopt, MaxUnpacked: unpackedDefault(memoryLimit(os.Getenv("GOMEMLIMIT")))},
	}
	left, failed, err := reconciler.Cleanup(c.Context(), destination)
	var refused *promoted.RefusedError
	switch {
	case errors.As(err, &refused):
		return refused
	case err != nil:
		return inputError(err)
	}
	warnOfLive(std.out, left, onLive)
	return cleaned(std.out, left, failed, flags.apply)
}

func oneDestination(c *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usage(c, "name one Destination")
	}
	return nil
}

func warnOfLive(out io.Writer, left []reconcile.Cleanup, on *promoted.LiveCleanup) {
	var stores []string
	for _, one := range left {
		if on.MayBeLive(one.Store) && !slices.Contains(stores, one.Store) {
			stores = append(stores, one.Store)
			_, _ = fmt.Fprintf(out, "warning: %s is not the state store of %s; if run --promote writes there because of --live-store, its files are live: name it with --live-store here too\n",
				printable.Line(one.Store), printable.Line(on.Of))
		}
	}
}

func cleaned(out io.Writer, left []reconcile.Cleanup, failed []finding.Finding, apply bool) error {
	verb := "left"
	if apply {
		verb = "removed"
	}
	broken := len(failed) > 0
	for _, one := range left {
		store := printable.Line(one.Store)
		if one.Err != nil {
			broken = true
			_, _ = fmt.Fprintf(out, "not removed  %q of %s: %s\n", one.Dir, store, printable.Line(one.Err.Error()))
			continue
		}
		for _, work := range one.Works {
			_, _ = fmt.Fprintf(out, "%s  %s  in %q of %s\n", verb, printable.Line(work), one.Dir, store)
		}
		for _, work := range one.Only {
			_, _ = fmt.Fprintf(out, "note: %s is not placed anywhere else; the next run places it again\n", printable.Line(work))
		}
		_, _ = fmt.Fprintf(out, "%s: %s, %s in %q of %s\n", verb, countOf(len(one.Works), "placement"), countOf(len(one.Remove), "file"), one.Dir, store)
	}
	if err := report.Text(out, failed); err != nil {
		return err
	}
	switch {
	case broken:
		return exit{code: exitFailure}
	case len(left) == 0:
		_, _ = fmt.Fprintln(out, "nothing is left")
	case !apply:
		_, _ = fmt.Fprintln(out, "remove it with --apply")
		return exit{code: exitFindings}
	}
	return nil
}

func countOf(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
