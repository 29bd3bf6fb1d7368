package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"
)

// The linker sets commit and date in a release. The date is in RFC 3339.
var commit, date string //nolint:gochecknoglobals // the linker sets variables only

type versionInfo struct {
	Version  string `json:"version"`
	Commit   string `json:"commit"`
	Date     string `json:"date"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// fromBuild adds values from Go's build information that the linker has not set.
func (v versionInfo) fromBuild(info *debug.BuildInfo) versionInfo {
	if info == nil {
		return v
	}
	if v.Version == "dev" && info.Main.Version != "" && info.Main.Version != "(devel)" {
		v.Version = info.Main.Version
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			v.Commit = cmp.Or(v.Commit, setting.Value)
		case "vcs.time":
			v.Date = cmp.Or(v.Date, setting.Value)
		}
	}
	return v
}

func (v versionInfo) format(name string) (string, error) {
	switch name {
	case "json":
		text, err := json.Marshal(v)
		return string(text) + "\n", err
	case "yaml":
		text, err := yaml.Marshal(v)
		return string(text), err
	}
	return fmt.Sprintf("kratix-schedule %s %s %s\n", v.Version, v.Go, v.Platform), nil
}

func versionCommand(std streams) *cobra.Command {
	format := "text"
	command := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Long: `Print the version. With -o json or yaml also the commit and its date; both are empty
if the program was built without them.`,
		Example: `  kratix-schedule version
  kratix-schedule version -o json`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			switch format {
			case "text", "json", "yaml":
			default:
				return usage(c, fmt.Sprintf("--output %s: use text, json or yaml", format))
			}
			info, _ := debug.ReadBuildInfo()
			text, err := versionInfo{version, commit, date, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}.fromBuild(info).format(format)
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(std.out, text)
			return err
		},
	}
	command.Flags().StringVarP(&format, "output", "o", format, "text, json or yaml")
	return command
}
