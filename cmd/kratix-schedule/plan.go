package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/finding"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/report"
)

func planCommand(std streams) *cobra.Command {
	var flags inputFlags
	var policy policyFlags
	command := &cobra.Command{
		Use:   "plan -f PATH",
		Short: "Show what run would write, and write nothing",
		Long: `Do everything that run does up to the write, against the real state stores, and
show the placements, the files that would change, and what was found.

Exit status: 0 nothing to do, 1 there are changes, 2 and 3 as for run.`,
		Example: `  kratix-schedule plan -f testdata/elastic-cloud`,
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			in, err := flags.source(c, nil, std)
			if err != nil {
				return err
			}
			reconciler := &reconcile.Reconciler{
				Source: in, Stores: newRealStores(commits{}), Finish: reconcile.Preview,
				Policy: policy.policy(),
			}
			result, err := reconciler.Round(c.Context())
			if err != nil {
				return inputError(err)
			}
			return printPlan(std, result)
		},
	}
	flags.add(command)
	policy.add(command)
	return command
}

func printPlan(std streams, result report.Report) error {
	if err := result.PlacementLines(std.out); err != nil {
		return err
	}
	if err := result.ChangeLines(std.out); err != nil {
		return err
	}
	if err := report.Text(std.out, result.Findings); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(std.out, "planned: "+result.Summary()); err != nil {
		return err
	}
	switch {
	case result.Has(finding.StoreFailed()):
		return exit{code: exitFailure}
	case result.Changes():
		return exit{code: exitFindings}
	}
	return nil
}
