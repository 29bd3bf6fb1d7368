package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/finding"
)

func explainCommand(std streams) *cobra.Command {
	return &cobra.Command{
		Use:     "explain [RULE]",
		Short:   "Explain a rule, or list all of them",
		Example: `  kratix-schedule explain KS001`,
		RunE: func(c *cobra.Command, args []string) error {
			switch len(args) {
			case 0:
				for _, rule := range finding.Rules() {
					_, _ = fmt.Fprintf(std.out, "%s  %-7s  %-18s  %s\n", rule.ID, rule.Severity, rule.Name, rule.Summary)
				}
				return nil
			case 1:
				rule, err := finding.ByID(args[0])
				if err != nil {
					return usage(c, err.Error())
				}
				_, _ = fmt.Fprintf(std.out, "%s %s (%s)\n\n%s\n\n%s\n\nWhat to do: %s\n", rule.ID, rule.Name, rule.Severity, rule.Summary, rule.Why, rule.Fix)
				return nil
			}
			return usage(c, "explain takes one rule at a time")
		},
	}
}
