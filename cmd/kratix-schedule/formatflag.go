package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// formatFlag is the flag --output with values of the form FORMAT or FORMAT=FILE. Text is written to
// standard output unless another format is written there.
type formatFlag struct {
	names   []string
	outputs []formatOutput
}

type formatOutput struct {
	format string
	// target is the file to write. Its name is empty for standard output.
	target
}

var _ pflag.Value = (*formatFlag)(nil)

func newFormatFlag(others ...string) formatFlag {
	return formatFlag{names: append([]string{textFormat}, others...)}
}

const textFormat = "text"

func (f *formatFlag) add(c *cobra.Command, of string) {
	c.Flags().VarP(f, "output", "o", "format of "+of+", one of "+strings.Join(f.names, ", ")+"; FORMAT=FILE writes to a file; may be repeated")
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(f.names, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveNoSpace)) // the flag exists
}

func (f *formatFlag) Set(text string) error {
	format, file, toFile := strings.Cut(text, "=")
	switch {
	case !slices.Contains(f.names, format):
		return fmt.Errorf("there is no such format here; use %s", strings.Join(f.names, ", "))
	case toFile && file == "":
		return errNoFile
	case file == "-":
		file = ""
	}
	if slices.ContainsFunc(f.outputs, func(o formatOutput) bool { return o.file == file }) {
		return errors.New(anotherFormat(file))
	}
	f.outputs = append(f.outputs, formatOutput{format, target{file: file}})
	return nil
}

// String returns the formats without their files.
func (f *formatFlag) String() string {
	var formats []string
	for _, o := range f.outputs {
		formats = append(formats, o.format)
	}
	return strings.Join(formats, ",")
}

func (*formatFlag) Type() string { return "stringArray" }

// isText reports whether standard output is text.
func (f *formatFlag) isText() bool {
	return !slices.ContainsFunc(f.outputs, func(o formatOutput) bool { return o.file == "" && o.format != textFormat })
}

// results writes what a command does, while it does it, as text, and its result in other formats.
type results struct {
	// Writer takes the text.
	io.Writer
	outputs []formatOutput
	std     streams
	text    bytes.Buffer
}

func (f *formatFlag) begin(std streams) *results {
	r := &results{outputs: f.outputs, std: std}
	r.Writer = &r.text
	if f.isText() {
		r.Writer = io.MultiWriter(std.out, &r.text)
	}
	return r
}

// end writes the other formats, and the text to files. It continues after an error.
func (r *results) end(document func(out io.Writer, format string) error) error {
	var failed []error
	for _, o := range r.outputs {
		write := func(out io.Writer) error { return document(out, o.format) }
		switch {
		case o.format == textFormat && o.file == "":
			continue
		case o.format == textFormat:
			write = func(out io.Writer) error {
				_, err := out.Write(r.text.Bytes())
				return err
			}
		}
		if o.file != "" {
			failed = append(failed, o.write(write))
		} else if err := write(r.std.out); err != nil {
			failed = append(failed, fmt.Errorf("write the output: %w", err))
		}
	}
	return errors.Join(failed...)
}

func writeReport(out io.Writer, format string, result report.Report, done report.Done) error {
	known, _ := report.FormatNamed(format) // the flag accepts only known formats
	return known.Write(out, report.Document{Report: result, Done: done, Version: version, Tally: report.Count(result.Findings)})
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
