package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func root(std streams) *cobra.Command {
	command := &cobra.Command{
		Use:   "kratix-schedule",
		Short: "Place Kratix Works on Destinations, and find what would break Flux before it is written",
		Long: `kratix-schedule places Kratix's Works on Destinations, writes them to the state
stores that Flux or Argo CD pulls from, and finds what would break a Destination
before it is written.

Exit status: 0 clean, 1 findings (plan: changes too), 2 wrong usage or input path,
3 a store or the machine failed.`,
		Version:                    version,
		SilenceUsage:               true,
		SilenceErrors:              true,
		SuggestionsMinimumDistance: 2,
		Args:                       noSubcommand,
		RunE:                       func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	command.SetVersionTemplate("kratix-schedule {{.Version}}\n")
	command.SetIn(std.in)
	command.SetOut(std.out)
	command.SetErr(std.err)
	command.SetFlagErrorFunc(flagError)
	command.AddCommand(runCommand(std), planCommand(std), validateCommand(std), getCommand(std), historyCommand(std), rolloutCommand(std), workCommand(std), statusCommand(std), handoverCommand(std), explainCommand(std), rebalanceCommand(std), cleanupCommand(std),
		profileCommand(std), probeCommand(std), agentCommand(std), commentCommand(std), configCommand(std), completionCommand(std), versionCommand(std))
	help := helpCommand()
	command.SetHelpCommand(help)
	command.AddCommand(help)
	command.CompletionOptions.DisableDefaultCmd = true
	return command
}

func flagError(c *cobra.Command, err error) error {
	var wrong *pflag.InvalidValueError
	if errors.As(err, &wrong) {
		return usage(c, fmt.Sprintf("--%s %s: %s", wrong.GetFlag().Name, wrong.GetValue(), cause(err)))
	}
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		if text := unknownFlag(c, unknown.GetSpecifiedName()); text != "" {
			return usage(c, text)
		}
	}
	return usage(c, err.Error())
}

func usage(c *cobra.Command, text string) error {
	return exit{code: exitUsage, text: text + "\nSee '" + c.CommandPath() + " --help'."}
}

func noSubcommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := "unknown command " + args[0]
	if c.HasParent() {
		text += " of " + c.Name()
	}
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		text += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return usage(c, text)
}

// unknownCommand returns an error if args name an unknown subcommand.
func unknownCommand(root *cobra.Command, args []string) error {
	c, rest, err := root.Find(args)
	if err != nil || !c.HasSubCommands() {
		return nil //nolint:nilerr // cobra reports it
	}
	for i, arg := range rest {
		switch {
		case arg == "--" || strings.HasPrefix(arg, cobra.ShellCompRequestCmd):
			return nil
		case !strings.HasPrefix(arg, "-"):
			return noSubcommand(c, rest[i:])
		}
	}
	return nil
}

func noArguments(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage(c, "unexpected argument "+args[0])
	}
	return nil
}
