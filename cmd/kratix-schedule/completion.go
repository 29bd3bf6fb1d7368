package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func completionCommand(std streams) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	command := &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print a script for a shell that completes commands and flags",
		Long: `Print a script for a shell, which then completes commands, flags and their values.
Have the shell read it when it starts:

    bash        source <(kratix-schedule completion bash)
    zsh         source <(kratix-schedule completion zsh)
    fish        kratix-schedule completion fish | source
    powershell  kratix-schedule completion powershell | Out-String | Invoke-Expression`,
		Example:   `  kratix-schedule completion bash`,
		ValidArgs: shells,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage(c, "name one shell: bash, zsh, fish or powershell")
			}
			switch root := c.Root(); args[0] {
			case "bash":
				return root.GenBashCompletionV2(std.out, true)
			case "zsh":
				return root.GenZshCompletion(std.out)
			case "fish":
				return root.GenFishCompletion(std.out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(std.out)
			}
			return usage(c, fmt.Sprintf("there is no completion for %q: use bash, zsh, fish or powershell", args[0]))
		},
	}
	return command
}

func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Print the help of a command",
		Example: `  kratix-schedule help validate`,
		RunE: func(c *cobra.Command, args []string) error {
			found, rest, err := c.Root().Find(args)
			if err == nil {
				err = noSubcommand(found, rest)
			}
			if err != nil {
				return err
			}
			return found.Help()
		},
	}
}
