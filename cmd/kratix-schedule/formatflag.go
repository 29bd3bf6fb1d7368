package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

type formatFlag struct {
	name  string
	names []string
}

var _ pflag.Value = (*formatFlag)(nil)

func newFormatFlag(others ...string) formatFlag {
	return formatFlag{name: textFormat, names: append([]string{textFormat}, others...)}
}

const textFormat = "text"

func (f *formatFlag) add(c *cobra.Command, of string) {
	c.Flags().VarP(f, "output", "o", "format of "+of+": "+strings.Join(f.names[:len(f.names)-1], ", ")+" or "+f.names[len(f.names)-1])
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(f.names, cobra.ShellCompDirectiveNoFileComp)) // the flag exists
}

func (f *formatFlag) String() string { return f.name }

func (f *formatFlag) Set(name string) error {
	if !slices.Contains(f.names, name) {
		return fmt.Errorf("there is no such format here; use %s", strings.Join(f.names, ", "))
	}
	f.name = name
	return nil
}

func (*formatFlag) Type() string { return "string" }

func (f *formatFlag) isText() bool { return f.name == textFormat }

func (f *formatFlag) writeReport(std streams, result report.Report, done report.Done) error {
	format, _ := report.FormatNamed(f.name) // the flag accepts only known formats
	document := report.Document{Report: result, Done: done, Version: version, Tally: report.Count(result.Findings)}
	if err := format.Write(std.out, document); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

type (
	rulesDocument struct {
		SchemaVersion int          `json:"schemaVersion"`
		Kind          string       `json:"kind"`
		Rules         []ruleOutput `json:"rules"`
	}
	ruleOutput struct {
		ID       string `json:"id"`
		Name     string `json:"name"`
		Severity string `json:"severity"`
		Summary  string `json:"summary"`
		Why      string `json:"why"`
		Fix      string `json:"fix"`
		Example  string `json:"example,omitempty"`
	}
	explanationDocument struct {
		SchemaVersion int           `json:"schemaVersion"`
		Kind          string        `json:"kind"`
		Work          string        `json:"work"`
		Promise       string        `json:"promise,omitempty"`
		Resource      string        `json:"resource,omitempty"`
		Groups        []groupOutput `json:"groups"`
		// Findings are about stores that could not be read. Without these stores, the other fields
		// may be wrong.
		Findings []report.Problem `json:"findings"`
	}
	groupOutput struct {
		Group        string              `json:"group"`
		Asked        []askedOutput       `json:"asked"`
		Destinations []destinationOutput `json:"destinations"`
		Summary      string              `json:"summary"`
	}
	askedOutput struct {
		Requirement string `json:"requirement"`
		Source      string `json:"source"`
		Overruled   bool   `json:"overruled,omitempty"`
	}
	destinationOutput struct {
		Name    string `json:"name"`
		Outcome string `json:"outcome"`
		Reason  string `json:"reason,omitempty"`
	}
	probeDocument struct {
		SchemaVersion int              `json:"schemaVersion"`
		Kind          string           `json:"kind"`
		Stores        []probeOutput    `json:"stores"`
		Findings      []report.Problem `json:"findings"`
	}
	probeOutput struct {
		Store        string `json:"store"`
		CanBeWritten bool   `json:"canBeWritten"`
	}
	rebalanceDocument struct {
		SchemaVersion int              `json:"schemaVersion"`
		Kind          string           `json:"kind"`
		Moves         []moveOutput     `json:"moves"`
		Applied       bool             `json:"applied"`
		Findings      []report.Problem `json:"findings"`
	}
	moveOutput struct {
		Work   string `json:"work"`
		Group  string `json:"group"`
		From   string `json:"from"`
		To     string `json:"to"`
		Reason string `json:"reason,omitempty"`
	}
)

func ruleOf(rule finding.Rule) ruleOutput {
	return ruleOutput{rule.ID, rule.Name, rule.Severity.String(), rule.Summary, rule.Why, rule.Fix, rule.Example}
}

func (f *formatFlag) writeAs(std streams, value any) error {
	if err := writeDocument(std.out, f.name, value); err != nil {
		return fmt.Errorf("write the output: %w", err)
	}
	return nil
}
