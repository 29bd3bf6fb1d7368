package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/listing"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

func rebalanceCommand(std streams) *cobra.Command {
	var flags inputFlags
	var policy policyFlags
	var git gitFlags
	var branch branchFlags
	var apply bool
	output := newFormatFlag("json", "yaml")
	command := &cobra.Command{
		Use:   "rebalance -f PATH [--apply]",
		Short: "Show or make the moves that balance the load of Destinations",
		Long: `Print which placements of requests would move, so that each Destination has its
share by weight (annotation kratix-schedule.io/weight) and requests leave cordoned
ones (kratix-schedule.io/cordon). Groups of one request move together.

With --apply the moves are made, in two steps: the new placements are written,
and the old ones are removed once the new ones are recorded in the stores. If this
is interrupted in between, the next run or rebalance finishes it. Everything else
that run would write is written too.

Exit status: 0 nothing to move, or all is moved; 1 there are moves to make, or
findings; 2 and 3 as for run.`,
		Example: `  kratix-schedule rebalance -f testdata/elastic-cloud
  kratix-schedule rebalance -f testdata/elastic-cloud --apply`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			in, err := flags.source(c, std)
			if err != nil {
				return err
			}
			commits, err := git.parse(c, policy.owner)
			if err != nil {
				return err
			}
			reconciler := &reconcile.Reconciler{
				Source: in, Stores: storesOf(commits, branch), Finish: reconcile.Commit, Policy: policy.policy(), Pause: pause, Builder: std.builder,
				Now: time.Now, Missing: in.Missing,
			}
			input, findings, err := reconciler.Inspect(c.Context())
			if err != nil {
				return inputError(err)
			}
			out := output.begin(std)
			document, outcome, err := rebalance(c.Context(), out, reconciler, scheduler.Rebalance(input), findings, apply)
			if err != nil {
				return err
			}
			if err := out.end(func(to io.Writer, format string) error { return writeDocument(to, format, document) }); err != nil {
				return err
			}
			return outcome
		},
	}
	flags.add(command)
	policy.add(command)
	git.add(command)
	branch.add(command)
	output.add(command, "the result")
	command.Flags().BoolVar(&apply, "apply", false, "make the moves")
	return command
}

// rebalance prints the moves, makes them with apply, and returns them and the error with the exit code.
func rebalance(
	ctx context.Context, out io.Writer, reconciler *reconcile.Reconciler, moves []scheduler.Relocation, findings []finding.Finding, apply bool,
) (document rebalanceDocument, outcome, err error) {
	printMoves(out, moves)
	document = rebalanceDocument{SchemaVersion: listing.SchemaVersion, Kind: "rebalance", Moves: []moveOutput{}}
	for _, m := range moves {
		document.Moves = append(document.Moves, moveOutput{m.Work.String(), m.Directory, m.From, m.To, m.Reason})
	}
	wrong := slices.DeleteFunc(slices.Clone(findings), func(f finding.Finding) bool { return f.Rule.Severity != finding.Error })
	document.Findings = report.Problems(wrong)
	if !apply {
		return document, offerMoves(out, moves, wrong), nil
	}
	if failed := storeFailures(out, findings); failed != nil {
		return document, failed, nil
	}
	result, err := applyMoves(ctx, out, reconciler, moves)
	document.Applied, document.Findings = !result.Has(finding.StoreFailed()), report.Problems(result.Findings)
	return document, verdict(result), err
}

func printMoves(out io.Writer, moves []scheduler.Relocation) {
	for _, m := range moves {
		name := m.Work.String()
		if m.Directory != kratix.DefaultDirectory && m.Directory != "" {
			name += " [" + m.Directory + "]"
		}
		_, _ = fmt.Fprintf(out, "move  %s  from %s to %s: %s\n", printable.Line(name), printable.Line(m.From), printable.Line(m.To), printable.Line(m.Reason))
	}
}

// offerMoves prints the number of moves, and the errors that may be the reason for missing moves.
func offerMoves(out io.Writer, moves []scheduler.Relocation, wrong []finding.Finding) error {
	if err := report.Text(out, wrong); err != nil {
		return err
	}
	switch {
	case report.Report{Findings: wrong}.Has(finding.StoreFailed()):
		return exit{code: exitFailure}
	case len(moves) > 0:
		_, _ = fmt.Fprintf(out, "%d to move; make the moves with --apply\n", len(moves))
	case len(wrong) == 0:
		_, _ = fmt.Fprintln(out, "nothing to move")
		return nil
	}
	return exit{code: exitFindings}
}

// moveRounds is the maximum number of rounds of a move. A move takes three rounds, or four if it
// waits for capacity.
const moveRounds = 4

// moveAll runs rounds until the moves are complete or cannot continue. It calls each with the
// report of each round.
func moveAll(ctx context.Context, reconciler *reconcile.Reconciler, moves []scheduler.Relocation, each func(report.Report)) (result report.Report, err error) {
	reconciler.Policy.Moves = moves
	for range moveRounds {
		if result, err = reconciler.Round(ctx); err != nil {
			return result, inputError(err)
		}
		each(result)
		reconciler.Policy.Moves = nil
		if !result.Again || result.Has(finding.StoreFailed()) {
			break
		}
	}
	return result, nil
}

func applyMoves(ctx context.Context, out io.Writer, reconciler *reconcile.Reconciler, moves []scheduler.Relocation) (report.Report, error) {
	result, err := moveAll(ctx, reconciler, moves, func(result report.Report) {
		for _, p := range result.Placements {
			if p.State != report.Unchanged && p.State != report.Unplaced {
				_, _ = fmt.Fprintf(out, "%s  %s  on %s: %s\n", p.State, printable.Line(p.Work), printable.Line(p.Destination), printable.Line(p.Reason))
			}
		}
	})
	if err != nil {
		return result, err
	}
	if err := report.Text(out, result.Findings); err != nil {
		return result, err
	}
	if line := result.ProfileLine(); line != "" {
		_, _ = fmt.Fprintln(out, printable.Line(line))
	}
	_, err = fmt.Fprintln(out, result.Summary())
	return result, err
}
