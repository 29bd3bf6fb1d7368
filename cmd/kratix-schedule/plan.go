package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/internal/daemon"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/statestore/open"
)

type planFlags struct {
	input  inputFlags
	tree   treeFlags
	output outputFlags
	policy policyFlags
	branch branchFlags
	stat   bool
	volume volumeFlags
}

func planCommand(std streams) *cobra.Command {
	var flags planFlags
	command := &cobra.Command{
		Use:   "plan -f PATH",
		Short: "Show what run would write, and write nothing",
		Long: `Do everything that run does up to the write, against the real state stores or
against a copy of one (--tree, --repo), and show the placements, what would
change line by line, and what was found.

Exit status: 0 nothing to do, 1 there are changes or errors, 2 and 3 as for run.`,
		Example: `  kratix-schedule plan -f testdata/elastic-cloud
  kratix-schedule plan -f testdata/elastic-cloud --stat
  kratix-schedule plan -f testdata/elastic-cloud -o json`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return runPlan(c, &flags, std) },
	}
	flags.input.add(command)
	configurable(command, "filename", "recursive", "exclude")
	pathFlags(command, "filename")
	flags.tree.add(command)
	flags.branch.add(command)
	flags.output.add(command)
	addConfigFlag(command)
	flags.policy.add(command)
	configurable(command, "on-conflict", "check-apply", "profile-max-age", "allow-name")
	flags.volume.add(command)
	command.Flags().BoolVar(&flags.stat, "stat", false, "show how many lines change in which file, not the lines")
	return command
}

func runPlan(c *cobra.Command, flags *planFlags, std streams) error {
	if err := configure(c, nil); err != nil {
		return err
	}
	outputs, err := flags.output.parse(c)
	if err != nil {
		return err
	}
	volume, err := flags.volume.volume(c)
	if err != nil {
		return err
	}
	in, err := flags.input.source(c, std)
	if err != nil {
		return err
	}
	copied, err := flags.tree.stores(c)
	if err != nil {
		return err
	}
	shown := startProgress(std.err)
	differ := &differ{}
	learning := &recordingSource{Source: shown.watch(in), locator: newLocator(), copied: copied}
	reconciler := &reconcile.Reconciler{
		Source: learning, Stores: storesOf(open.Commits{}, flags.branch), Finish: reconcile.Each(differ.finish),
		Policy: flags.policy.policy(), Builder: std.builder, Now: time.Now, Missing: in.Missing,
	}
	reconciler.Source, reconciler.Agents = daemon.Reported(reconciler.Source)
	if flags.tree.given() {
		reconciler.Stores = copied
	}
	result, err := interruptible(c.Context(), reconciler.Round)
	shown.stop()
	if err != nil {
		return inputError(err)
	}
	document := report.Document{
		Report: result, Done: report.Planned, Version: version, Tally: report.Count(result.Findings),
		Locate: learning.locate, Diffs: differ.diffs, Stat: flags.stat, Volume: volume,
	}
	if err := write(std, outputs, document, 0); err != nil {
		return err
	}
	switch {
	case result.Has(finding.StoreFailed()):
		return exit{code: exitFailure}
	case result.Changes(), result.Worst() >= finding.Error:
		return exit{code: exitFindings}
	}
	return nil
}

type recordingSource struct {
	source.Source
	*locator
	copied *checkStores
}

func (s *recordingSource) Snapshot(ctx context.Context) (source.Snapshot, error) {
	err := s.copied.load(ctx)
	if failed := storeFailure(err); failed != nil {
		return source.Snapshot{Findings: failed}, nil // without the copy of the store, nothing can be planned
	}
	if err != nil {
		return source.Snapshot{}, err
	}
	snapshot, err := s.Source.Snapshot(ctx)
	s.add(snapshot)
	if s.copied.tree.given() {
		s.copied.placeStores(snapshot, s.locator)
	}
	return snapshot, err
}
