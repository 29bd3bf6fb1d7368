package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"slices"

	"github.com/spf13/cobra"
)

// versionInfo describes the program's build.
type versionInfo struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func versionCommand(std streams) *cobra.Command {
	format := "text"
	command := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Example: `  kratix-schedule version
  kratix-schedule version -o json`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			info := versionInfo{version, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
			var err error
			switch {
			case !slices.Contains([]string{"text", "json"}, format):
				return usage(c, fmt.Sprintf("--output %s: use text or json", format))
			case format == "json":
				var text []byte
				if text, err = json.Marshal(info); err == nil {
					_, err = fmt.Fprintf(std.out, "%s\n", text)
				}
			default:
				_, err = fmt.Fprintf(std.out, "kratix-schedule %s %s %s\n", info.Version, info.Go, info.Platform)
			}
			return err
		},
	}
	command.Flags().StringVarP(&format, "output", "o", format, "text or json")
	return command
}
