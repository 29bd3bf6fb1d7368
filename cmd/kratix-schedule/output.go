package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

type outputFlags struct{ outputs []string }

func (f *outputFlags) add(c *cobra.Command) {
	c.Flags().StringArrayVarP(&f.outputs, "output", "o", nil,
		"format of the report, one of "+strings.Join(report.FormatNames(), ", ")+"; FORMAT=FILE writes to a file; may be repeated")
	configurable(c, "output")
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(report.FormatNames(), cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveNoSpace)) // the flag exists
}

type output struct {
	format report.Format
	// target is the file to write, or standard output if its name is empty.
	target
}

// parse returns the outputs of the flags, and those that are written by default.
func (f *outputFlags) parse(c *cobra.Command) ([]output, error) {
	var outputs []output
	for _, text := range f.outputs {
		one, err := parseOutput(text)
		if err != nil {
			return nil, usage(c, fmt.Sprintf("--output %s: %s", text, err))
		}
		if one.target, err = targetOf(c, "output", one.file); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(outputs, func(o output) bool { return o.file == one.file }) {
			return nil, usage(c, fmt.Sprintf("--output %s: %s", text, anotherFormat(one.file)))
		}
		outputs = append(outputs, one)
	}
	if !slices.ContainsFunc(outputs, output.isStdout) {
		text, _ := report.FormatNamed("text")
		outputs = append(outputs, output{format: text})
	}
	if os.Getenv("GITHUB_ACTIONS") == "true" && slices.ContainsFunc(outputs, output.isPlain) &&
		!slices.ContainsFunc(outputs, func(o output) bool { return o.format.Name == "github" }) {
		annotations, _ := report.FormatNamed("github")
		outputs = append(outputs, output{format: annotations})
	}
	return outputs, nil
}

// parseOutput parses FORMAT or FORMAT=FILE; the file - is standard output.
func parseOutput(text string) (output, error) {
	name, file, toFile := strings.Cut(text, "=")
	format, ok := report.FormatNamed(name)
	switch {
	case ok && file == "-":
		return output{format: format}, nil
	case !ok:
		return output{}, fmt.Errorf("there is no format %q; use one of %s", name, strings.Join(report.FormatNames(), ", "))
	case toFile && file == "":
		return output{}, errNoFile
	}
	return output{format, target{file: file}}, nil
}

var errNoFile = errors.New("nothing follows the equals sign; name a file")

func anotherFormat(file string) string {
	return fmt.Sprintf("another format is written to %s already; use FORMAT=FILE with another file", cmp.Or(file, "standard output"))
}

func (o output) isStdout() bool { return o.file == "" }

func (o output) isPlain() bool { return o.file == "" && o.format.Name == "text" }

// write writes a document to all outputs, even if some fail. most is the maximum number of findings
// on standard output, or 0 for all.
func write(std streams, outputs []output, document report.Document, most int) error {
	var failed []error
	for _, o := range outputs {
		if o.file != "" {
			failed = append(failed, o.target.write(func(out io.Writer) error { return o.format.Write(out, document) }))
			continue
		}
		shown := document
		if o.isPlain() {
			shown.Findings = document.Volume.Shown(document.Findings)
		}
		if most > 0 && len(shown.Findings) > most {
			shown.Hidden = len(shown.Findings) - most
			shown.Findings = shown.Findings[:most]
		}
		if o.isPlain() && colours(std.out) {
			shown.Paint = report.Terminal
		}
		if err := o.format.Write(std.out, shown); err != nil {
			failed = append(failed, fmt.Errorf("write the report: %w", err))
		}
	}
	return errors.Join(failed...)
}

// write creates or truncates the file, and calls a function that writes its content.
func (t target) write(content func(io.Writer) error) error {
	file, err := t.create()
	if err != nil {
		return fmt.Errorf("write the report %s: %w", t.file, unwrapped(err))
	}
	buffered := bufio.NewWriter(file)
	err = content(buffered)
	for _, last := range []error{buffered.Flush(), file.Close()} {
		if err == nil {
			err = last
		}
	}
	if err != nil {
		return fmt.Errorf("write the report %s: %w", t.file, unwrapped(err))
	}
	return nil
}

func colours(w io.Writer) bool {
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(w)
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
