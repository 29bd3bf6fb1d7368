package main

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/listing"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/statestore/open"
)

type explainFlags struct {
	input     inputFlags
	offline   bool
	misplaced onMisplaced
	branch    branchFlags
	output    formatFlag
}

func explainCommand(std streams) *cobra.Command {
	flags := explainFlags{output: newFormatFlag("json", "yaml")}
	command := &cobra.Command{
		Use:   "explain [RULE | WORK -f PATH]",
		Short: "Explain a rule, or why a Work is where it is",
		Long: `Explain a rule, or list all of them.

With -f, explain where a Work of the input goes: for each of its groups, which labels
a Destination must have and what requires them, and what that means for each
Destination. The state stores are read, since what is already placed stays where
it is; nothing is written. With --offline no store is read, as if nothing were
placed yet.`,
		Example: `  kratix-schedule explain KS001
  kratix-schedule explain -f testdata/elastic-cloud default/elastic-cloud-example-default-instance-8172a`,
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case len(args) > 1:
				return usage(c, "explain takes one rule or Work at a time")
			case len(args) == 0 && len(flags.input.paths) > 0:
				return usage(c, "name the Work to explain")
			case len(args) == 0:
				return listRules(std, flags.output)
			case len(flags.input.paths) == 0:
				return explainRule(c, std, flags.output, args[0])
			}
			return explainWork(c, flags, std, args[0])
		},
	}
	flags.input.add(command)
	flags.misplaced.add(command)
	flags.branch.add(command)
	flags.output.add(command, "the explanation")
	command.Flags().BoolVar(&flags.offline, "offline", false, "read no state store: explain as if nothing were placed yet")
	return command
}

func listRules(std streams, output formatFlag) error {
	out := output.begin(std)
	document := rulesDocument{SchemaVersion: listing.SchemaVersion, Kind: "rules"}
	for _, rule := range finding.Rules() {
		document.Rules = append(document.Rules, ruleOf(rule))
		_, _ = fmt.Fprintf(out, "%s  %-7s  %-18s  %s\n", rule.ID, rule.Severity, rule.Name, rule.Summary)
	}
	return out.end(func(to io.Writer, format string) error { return writeDocument(to, format, document) })
}

func explainRule(c *cobra.Command, std streams, output formatFlag, id string) error {
	rule, err := finding.ByID(strings.ToUpper(id))
	switch {
	case err != nil && !regexp.MustCompile(`^[A-Za-z]{2}\d+$`).MatchString(id):
		return usage(c, fmt.Sprintf("there is no rule %q; to explain a Work, name its input with -f", id))
	case err != nil:
		return usage(c, err.Error())
	}
	out := output.begin(std)
	_, _ = fmt.Fprintf(out, "%s %s (%s)\n\n%s\n\n%s\n\nWhat to do: %s\n", rule.ID, rule.Name, rule.Severity, rule.Summary, rule.Why, rule.Fix)
	if rule.Example != "" {
		_, _ = fmt.Fprintf(out, "\nFor example:\n\n%s\n", indented(rule.Example))
	}
	document := rulesDocument{listing.SchemaVersion, "rules", []ruleOutput{ruleOf(rule)}}
	return out.end(func(to io.Writer, format string) error { return writeDocument(to, format, document) })
}

func indented(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if line != "" {
			lines[i] = "  " + line
		}
	}
	return strings.Join(lines, "\n")
}

func explainWork(c *cobra.Command, flags explainFlags, std streams, name string) error {
	in, err := flags.input.source(c, std)
	if err != nil {
		return err
	}
	reconciler := &reconcile.Reconciler{Source: in, Stores: storesOf(open.Commits{}, flags.branch), Policy: reconcile.Policy{OnMisplaced: flags.misplaced.is, Adopt: true}}
	if flags.offline {
		reconciler.Stores = open.InMemory{}
	}
	input, findings, err := reconciler.Inspect(c.Context())
	if err != nil {
		return inputError(err)
	}
	work, err := findWork(c, input.Works, name)
	if err != nil {
		return err
	}
	groups := scheduler.Explain(input, kratix.KeyOf(work))
	out, failed := flags.output.begin(std), failedStores(findings)
	printExplanation(out, work, groups)
	outcome := storeFailures(out, findings)
	document := explanationOf(work, groups, failed)
	if err := out.end(func(to io.Writer, format string) error { return writeDocument(to, format, document) }); err != nil {
		return err
	}
	return outcome
}

func explanationOf(work *kratix.Work, groups []scheduler.Explanation, failed []finding.Finding) explanationDocument {
	document := explanationDocument{
		SchemaVersion: listing.SchemaVersion, Kind: "explanation", Work: kratix.KeyOf(work).String(),
		Promise: work.Spec.PromiseName, Resource: work.Spec.ResourceName, Groups: []groupOutput{}, Findings: report.Problems(failed),
	}
	for _, group := range groups {
		out := groupOutput{Group: group.Directory, Asked: []askedOutput{}, Destinations: []destinationOutput{}, Summary: group.Summary}
		for _, asked := range group.Asked {
			out.Asked = append(out.Asked, askedOutput{asked.Requirement, asked.Source, asked.Overruled})
		}
		for _, v := range group.Verdicts {
			out.Destinations = append(out.Destinations, destinationOutput{v.Destination, string(v.Outcome), v.Reason})
		}
		document.Groups = append(document.Groups, out)
	}
	return document
}

func failedStores(findings []finding.Finding) []finding.Finding {
	return slices.DeleteFunc(slices.Clone(findings), func(f finding.Finding) bool { return f.Rule != finding.StoreFailed() })
}

// storeFailures prints the findings about failed stores, and returns an error if there are any.
func storeFailures(out io.Writer, findings []finding.Finding) error {
	failed := failedStores(findings)
	if len(failed) == 0 {
		return nil
	}
	if err := report.Text(out, failed); err != nil {
		return err
	}
	return exit{code: exitFailure}
}

func findWork(c *cobra.Command, works []*kratix.Work, name string) (*kratix.Work, error) {
	var found []*kratix.Work
	var keys []string
	for _, work := range works {
		if name == work.Name || name == kratix.KeyOf(work).String() {
			found = append(found, work)
			keys = append(keys, kratix.KeyOf(work).String())
		}
	}
	switch len(found) {
	case 0:
		return nil, exit{code: exitUsage, text: fmt.Sprintf("there is no Work %s in the input; 'kratix-schedule get placements' lists them", name)}
	case 1:
		return found[0], nil
	}
	return nil, usage(c, "there are several Works of that name: "+strings.Join(keys, ", "))
}

func printExplanation(out io.Writer, work *kratix.Work, groups []scheduler.Explanation) {
	_, _ = fmt.Fprintf(out, "%s (%s)\n", printable.Line(kratix.Describe(work)), printable.Line(work.Owner()))
	if len(groups) == 0 {
		_, _ = fmt.Fprintln(out, "It has no workload groups, so there is nothing to place.")
	}
	for _, group := range groups {
		_, _ = fmt.Fprintf(out, "\nGroup %s asks for\n", printable.Line(group.Directory))
		if len(group.Asked) == 0 {
			_, _ = fmt.Fprintln(out, "  nothing")
		}
		for _, asked := range group.Asked {
			note := ""
			if asked.Overruled {
				note = ", which does not count beside the above"
			}
			_, _ = fmt.Fprintf(out, "  %s  (%s%s)\n", printable.Line(asked.Requirement), printable.Line(asked.Source), note)
		}
		width := 0
		for _, v := range group.Verdicts {
			width = max(width, len(printable.Line(v.Destination)))
		}
		_, _ = fmt.Fprintln(out, "Destinations")
		for _, v := range group.Verdicts {
			_, _ = fmt.Fprintf(out, "  %-*s  %-11s  %s\n", width, printable.Line(v.Destination), v.Outcome, printable.Line(v.Reason))
		}
		_, _ = fmt.Fprintln(out, printable.Line(group.Summary))
	}
}
