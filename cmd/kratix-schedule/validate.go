package main

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/policy"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

type validateFlags struct {
	input      checkFlags
	output     outputFlags
	verdict    verdictFlags
	onConflict conflictFlag
	apply      applyFlag
	profiles   profileAgeFlag
	names      nameFlag
	requests   requestFlags
	volume     volumeFlags
	allowEmpty bool
	unpacked   unpackedFlag
}

func validateCommand(std streams) *cobra.Command {
	var flags validateFlags
	command := &cobra.Command{
		Use:   "validate [PATH...]",
		Short: "Check Works without writing anything, for CI",
		Long: `Read Works and Destinations, place them, and check whether Flux could use the
result. Nothing is written and no store is needed: the check starts from empty
ones, or from what --tree or --repo holds. Without any Destination in the input,
Works are checked as if one Destination took them all.

A --tree that is an ordinary Flux repository is checked root by root: those that
Flux Kustomizations in it name by spec.path, or else each directory that has a
kustomization.

A Promise's dependencies are checked as the Work that Kratix makes of them, a
pipeline's directories (--pipeline) as the Work that they become, WorkPlacements
where they are. A comment beside a document silences a rule for it:

    # kratix-schedule:ignore KS001 the operator is shared on purpose

A check that has nothing to check fails: an empty directory, one whose Works all
lie in sub-directories, or a Work of an unknown version would otherwise look like a
clean one. --allow-empty lets it pass.

Exit status: 0 clean, 1 findings that count (--fail-on, --strict), 2 wrong usage,
configuration or input path, or nothing to check, 3 the machine or a repository
failed.`,
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
	flags.apply.add(command)
	flags.profiles.add(command)
	flags.names.add(command)
	addConfigFlag(command)
	configurable(command, "on-conflict", "check-apply", "profile-max-age", "allow-name")
	flags.requests.add(command)
	flags.volume.add(command)
	flags.unpacked.add(command)
	command.Flags().BoolVar(&flags.allowEmpty, "allow-empty", false, "let a check pass although it has nothing to check")
	configurable(command, "allow-empty")
	return command
}

type checking struct {
	outputs []output
	rules   policy.Policy
	volume  report.Volume
	in      *checkSource
	from    *requestsSource
}

func (f *validateFlags) parse(c *cobra.Command, args []string, std streams) (*checking, error) {
	asked := &checking{}
	var err error
	if asked.outputs, err = f.output.parse(c); err != nil {
		return nil, err
	}
	if asked.rules, err = f.verdict.parse(c); err != nil {
		return nil, err
	}
	times, err := f.requests.parse(c)
	if err != nil {
		return nil, err
	}
	if asked.volume, err = f.volume.volume(c); err != nil {
		return nil, err
	}
	if asked.in, err = f.input.source(c, args, std); err != nil {
		return nil, err
	}
	asked.in.notices, asked.in.unpacked = std.notices(asked.volume), f.unpacked
	asked.from = &requestsSource{Source: asked.in, times: times}
	return asked, nil
}

func (f *validateFlags) engine() reconcile.Policy {
	return reconcile.Policy{OnConflict: f.onConflict.policy(), CheckApply: f.apply.policy(), ProfileMaxAge: f.profiles.most, Adopt: true, AllowNames: f.names, MaxUnpacked: int64(f.unpacked.most)}
}

func runValidate(c *cobra.Command, args []string, flags *validateFlags, std streams) error {
	if err := configure(c, args); err != nil {
		return err
	}
	asked, err := flags.parse(c, args, std)
	if err != nil {
		return err
	}
	in, rules := asked.in, asked.rules
	result, err := check(c.Context(), asked.from, in.stores, flags.engine(), std)
	if err != nil {
		return inputError(err)
	}
	result = asked.from.rewriteFindings(result)
	in.stores.nameOwners(result.Findings)
	rules.Comments = in.comments
	outcome := rules.Apply(result.Findings)
	failed := result.Has(finding.StoreFailed())
	nothing := in.nothingToCheck(flags, result, outcome)
	if flags.verdict.writeBaseline && !failed && nothing == nil {
		if err := flags.verdict.saveBaseline(outcome.Findings); err != nil {
			return err
		}
		_, err := fmt.Fprintf(std.err, "kratix-schedule: wrote %s: %s\n", flags.verdict.baseline, report.Count(outcome.Findings))
		return err
	}
	document := flags.document(result, outcome)
	document.Locate, document.Read, document.Volume = in.locate, &in.read.Reading, asked.volume
	if err := write(std, asked.outputs, document, flags.verdict.most); err != nil {
		return err
	}
	return flags.status(document, failed, nothing)
}

// status returns the exit status of the check. nothing is the error if there was nothing to check.
func (f *validateFlags) status(document report.Document, failed bool, nothing error) error {
	switch {
	case failed && f.verdict.writeBaseline:
		return exit{code: exitFailure, text: f.verdict.baseline + " is not written: the repository could not be read"}
	case failed:
		return exit{code: exitFailure}
	case nothing != nil:
		return nothing
	case document.Worst() >= document.Fails:
		return exit{code: exitFindings}
	}
	return nil
}

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

// relaxGC makes the garbage collector run less often while the process is small. The returned
// function restores the settings.
func relaxGC() (back func()) {
	const percent, limit = 400, 768 << 20
	before := debug.SetGCPercent(percent)
	limited := debug.SetMemoryLimit(-1)
	debug.SetMemoryLimit(min(limit, limited))
	return func() {
		debug.SetGCPercent(before)
		debug.SetMemoryLimit(limited)
	}
}

func check(ctx context.Context, in source.Source, stores statestore.Opener, policy reconcile.Policy, std streams) (report.Report, error) {
	back := relaxGC()
	shown := startProgress(std.err)
	defer shown.stop()
	if trees, ok := stores.(*checkStores); ok {
		trees.built = shown.building
	}
	reconciler := &reconcile.Reconciler{Source: shown.watch(in), Stores: stores, Finish: reconcile.Preview, Policy: policy, Builder: std.builder, Now: time.Now}
	result, err := interruptible(ctx, reconciler.Round)
	if ctx.Err() == nil { // the process ends anyway if ctx has ended
		back()
	}
	return result, err
}

// interruptible runs a round that writes nothing, and returns at once when ctx ends. The round then
// continues in the background.
func interruptible(ctx context.Context, round func(context.Context) (report.Report, error)) (report.Report, error) {
	type outcome struct {
		result report.Report
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		result, err := round(ctx)
		done <- outcome{result, err}
	}()
	select {
	case o := <-done:
		if ctx.Err() == nil {
			return o.result, o.err
		}
	case <-ctx.Done():
	}
	return report.Report{}, exit{code: exitFailure, text: "interrupted"}
}
