package main

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/finding"
	"github.com/kratix-schedule/kratix-schedule/policy"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/report"
	"github.com/kratix-schedule/kratix-schedule/source"
)

// validateFlags are all that a check can be told.
type validateFlags struct {
	input   checkFlags
	output  outputFlags
	verdict verdictFlags
	// onConflict is what the engine does with a clash.
	onConflict conflictFlag
	names      nameFlag
	requests   requestFlags
	unpacked   unpackedFlag
}

func validateCommand(std streams) *cobra.Command {
	var flags validateFlags
	command := &cobra.Command{
		Use:   "validate [PATH...]",
		Short: "Check Works without writing anything, for CI",
		Long: `Read Works and Destinations, place them, and check what Flux would say of the
result. Nothing is written and no store is needed: the check starts from empty
ones, or from what --tree or --repo holds. Without any Destination in the input,
Works are checked as if one took them all.

A Promise's dependencies are checked as the Work that Kratix makes of them, a
pipeline's directories (--pipeline) as the Work that they become, WorkPlacements
where they are. A comment beside a document silences a rule for it:

    # kratix-schedule:ignore KS001 the operator is shared on purpose

Exit status: 0 clean, 1 findings that count (--fail-on, --strict), 2 wrong usage,
configuration or input path, 3 the machine or a repository failed.`,
		Example: `  kratix-schedule validate testdata/elastic-cloud
  kratix-schedule validate --pipeline testdata/elastic-cloud/pipelines/redis --promise redis
  kratix-schedule validate testdata/elastic-cloud --fail-on none -o sarif=report.sarif -o junit=report.xml
  kratix-schedule work --from testdata/elastic-cloud/pipelines/redis --promise redis | kratix-schedule validate -`,
		RunE: func(c *cobra.Command, args []string) error { return runValidate(c, args, &flags, std) },
	}
	flags.input.add(command)
	flags.output.add(command)
	flags.verdict.add(command)
	flags.onConflict.add(command)
	flags.names.add(command)
	addConfigFlag(command)
	configurable(command, "on-conflict", "allow-name")
	flags.requests.add(command)
	flags.unpacked.add(command)
	return command
}

func runValidate(c *cobra.Command, args []string, flags *validateFlags, std streams) error {
	if err := configure(c, args); err != nil {
		return err
	}
	outputs, err := flags.output.parse(c)
	if err != nil {
		return err
	}
	rules, err := flags.verdict.parse(c)
	if err != nil {
		return err
	}
	times, err := flags.requests.parse(c)
	if err != nil {
		return err
	}
	in, err := flags.input.source(c, args, std)
	if err != nil {
		return err
	}
	in.unpacked = flags.unpacked
	requests := &requestsSource{Source: in, times: times}
	policy := reconcile.Policy{OnConflict: flags.onConflict.policy(), Adopt: true, AllowNames: flags.names, MaxUnpacked: int64(flags.unpacked.most)}
	result, err := check(c.Context(), requests, in.stores, policy, std)
	if err != nil {
		return inputError(err)
	}
	result = requests.told(result)
	in.stores.nameOwners(result.Findings)
	rules.Comments = in.comments
	outcome := rules.Apply(result.Findings)
	failed := result.Has(finding.StoreFailed())
	if flags.verdict.writeBaseline && !failed {
		if err := flags.verdict.saveBaseline(outcome.Findings); err != nil {
			return err
		}
		_, err := fmt.Fprintf(std.err, "kratix-schedule: wrote %s: %s\n", flags.verdict.baseline, report.Count(outcome.Findings))
		return err
	}
	document := flags.document(result, outcome)
	document.Locate = in.locate
	if err := write(std, outputs, document, flags.verdict.most); err != nil {
		return err
	}
	switch {
	case failed && flags.verdict.writeBaseline:
		return exit{code: exitFailure, text: flags.verdict.baseline + " is not written: the repository could not be read"}
	case failed:
		return exit{code: exitFailure}
	case document.Worst() >= document.Fails:
		return exit{code: exitFindings}
	}
	return nil
}

// document puts what counts into what was found.
func (f *validateFlags) document(result report.Report, outcome policy.Outcome) report.Document {
	result.Findings = outcome.Findings
	document := report.Document{
		Report: result, Done: report.Checked, Version: version, Tally: report.Count(outcome.Findings),
		Ignored: outcome.Ignored, Known: outcome.Known, Fails: f.verdict.fails(),
	}
	if document.Fails == finding.None {
		document.Fails = never
	}
	return document
}

// hurry collects garbage less often while a check runs, as long as there is
// memory, and no less than GOMEMLIMIT asks for; what it returns puts that back.
func hurry() (back func()) {
	const percent, limit = 400, 768 << 20
	before := debug.SetGCPercent(percent)
	limited := debug.SetMemoryLimit(-1)
	debug.SetMemoryLimit(min(limit, limited))
	return func() {
		debug.SetGCPercent(before)
		debug.SetMemoryLimit(limited)
	}
}

// check does a round that writes nothing.
func check(ctx context.Context, in source.Source, stores reconcile.Opener, policy reconcile.Policy, std streams) (report.Report, error) {
	defer hurry()()
	shown := startProgress(std.err)
	defer shown.stop()
	reconciler := &reconcile.Reconciler{Source: shown.watch(in), Stores: stores, Finish: reconcile.Preview, Policy: policy, Builder: std.builder}
	return reconciler.Round(ctx)
}
