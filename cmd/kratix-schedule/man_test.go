package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func manPage(c *cobra.Command) string {
	var page strings.Builder
	name := strings.ReplaceAll(c.CommandPath(), " ", "-")
	fmt.Fprintf(&page, ".TH %s 1 \"\" kratix-schedule\n.SH NAME\n%s \\- %s\n", strings.ToUpper(roff(name)), roff(name), roff(c.Short))
	fmt.Fprintf(&page, ".SH SYNOPSIS\n.B %s\n", roff(strings.TrimSuffix(c.UseLine(), " [flags]")))
	if c.Long != "" {
		fmt.Fprintf(&page, ".SH DESCRIPTION\n%s\n", manText(c.Long))
	}
	if c.LocalFlags().HasAvailableFlags() {
		page.WriteString(".SH OPTIONS\n")
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			flag := "--" + f.Name
			if f.Shorthand != "" {
				flag = "-" + f.Shorthand + ", " + flag
			}
			fmt.Fprintf(&page, ".TP\n.B %s\n%s\n", roff(flag), roff(f.Usage))
		})
	}
	if c.Example != "" {
		fmt.Fprintf(&page, ".SH EXAMPLES\n.nf\n%s\n.fi\n", manText(c.Example))
	}
	var more []string
	for _, sub := range c.Commands() {
		more = append(more, strings.ReplaceAll(sub.CommandPath(), " ", "-")+"(1)")
	}
	if parent := c.Parent(); parent != nil {
		more = append(more, strings.ReplaceAll(parent.CommandPath(), " ", "-")+"(1)")
	}
	if len(more) > 0 {
		fmt.Fprintf(&page, ".SH SEE ALSO\n%s\n", roff(strings.Join(more, ", ")))
	}
	return page.String()
}

func manText(text string) string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		switch {
		case line == "":
			lines = append(lines, ".PP")
		case strings.HasPrefix(line, "    "):
			lines = append(lines, ".nf", roff(line), ".fi")
		default:
			lines = append(lines, roff(line))
		}
	}
	return strings.Join(lines, "\n")
}

func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
