package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/policy"
)

type verdictFlags struct {
	strict        bool
	failOn        string
	ignores       []string
	baseline      string
	writeBaseline bool
	saved         target
	most          int
}

func (f *verdictFlags) add(c *cobra.Command) {
	c.Flags().BoolVar(&f.strict, "strict", false, "let warnings fail the check too, including unknown fields")
	c.Flags().StringVar(&f.failOn, "fail-on", "error", "the least severity that fails the check: error, warning or none")
	c.Flags().StringArrayVar(&f.ignores, "ignore", nil, "leave out findings of a RULE, or RULE:GLOB for those whose object or file fits; may be repeated")
	c.Flags().StringVar(&f.baseline, "baseline", "", "leave out the findings that this file lists")
	c.Flags().BoolVar(&f.writeBaseline, "write-baseline", false, "write the current findings to the file of --baseline, and pass")
	c.Flags().IntVar(&f.most, "max-findings", 0, "show at most this many findings on standard output; 0 shows all")
	configurable(c, "strict", "fail-on", "ignore", "baseline", "max-findings")
	pathFlags(c, "baseline")
	_ = c.RegisterFlagCompletionFunc("fail-on", cobra.FixedCompletions([]string{"error", "warning", "none"}, cobra.ShellCompDirectiveNoFileComp)) // the flag exists
}

func (f *verdictFlags) parse(c *cobra.Command) (policy.Policy, error) {
	p := policy.Policy{}
	err := f.sensible(c)
	if err == nil && f.writeBaseline {
		f.saved, err = targetOf(c, "baseline", f.baseline)
	}
	if err != nil {
		return p, err
	}
	for _, text := range f.ignores {
		ignore, err := policy.ParseIgnore(text)
		if err != nil {
			return p, usage(c, err.Error())
		}
		p.Ignores = append(p.Ignores, ignore)
	}
	if f.baseline == "" || f.writeBaseline {
		return p, nil
	}
	known, err := f.readBaseline(c)
	p.Known = known
	return p, err
}

func (f *verdictFlags) sensible(c *cobra.Command) error {
	if _, err := severityNamed(f.failOn); err != nil {
		return usage(c, "--fail-on "+err.Error())
	}
	if err := checkMost(f.most); err != nil {
		return usage(c, "--max-findings "+err.Error())
	}
	switch {
	case f.strict && c.Flags().Changed("fail-on") && f.failOn != "warning":
		return usage(c, "--strict and --fail-on "+f.failOn+" contradict each other")
	case f.writeBaseline && f.baseline == "":
		return usage(c, "--write-baseline needs --baseline FILE")
	}
	return nil
}

func (f *verdictFlags) readBaseline(c *cobra.Command) (policy.Baseline, error) {
	content, err := os.ReadFile(f.baseline)
	if errors.Is(err, fs.ErrNotExist) {
		return policy.Baseline{}, usage(c, "--baseline "+f.baseline+": there is no such file; --write-baseline makes it")
	}
	if err != nil {
		return policy.Baseline{}, usage(c, "--baseline "+f.baseline+": "+unwrapped(err).Error())
	}
	known, err := policy.ParseBaseline(content)
	if err != nil {
		return known, usage(c, "--baseline "+f.baseline+": "+oneLine(err.Error()))
	}
	return known, nil
}

func (f *verdictFlags) fails() finding.Severity {
	if f.strict {
		return finding.Warning
	}
	severity, _ := severityNamed(f.failOn) // sensible has checked the value
	return severity
}

func severityNamed(word string) (finding.Severity, error) {
	switch word {
	case "error":
		return finding.Error, nil
	case "warning":
		return finding.Warning, nil
	case "none":
		return finding.None, nil
	}
	return finding.None, fmt.Errorf("%q is not known: use error, warning or none", word)
}

func checkMost(most int) error {
	if most < 0 {
		return errors.New("cannot be negative")
	}
	return nil
}

const never = finding.Error + 1

func (f *verdictFlags) saveBaseline(findings []finding.Finding) error {
	content, err := policy.FormatBaseline(findings)
	if err != nil {
		return err
	}
	file, err := f.saved.create()
	if err == nil {
		_, err = file.Write(content)
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		return fmt.Errorf("write the baseline %s: %w", f.baseline, unwrapped(err))
	}
	return nil
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
