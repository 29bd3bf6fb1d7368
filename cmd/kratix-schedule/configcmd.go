package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

func configCommand(std streams) *cobra.Command {
	command := &cobra.Command{
		Use:   "config",
		Short: "Check the configuration, or print its schema",
		Long: `Settings come from flags, else from environment variables (KRATIX_SCHEDULE_FAIL_ON
is --fail-on; lists are separated by commas), else from the file
.kratix-schedule.yaml in the working directory or the nearest above it, up to
the top of the repository. Its keys are the names of the flags; its paths are
relative to the file. validate and plan read it; of the other commands, only
run --promote and cleanup read it, and only its key live-store.`,
		SuggestionsMinimumDistance: 2,

		Args: noSubcommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	verify := &cobra.Command{
		Use:     "verify",
		Short:   "Check the configuration that would be used, and print its path",
		Example: `  kratix-schedule config verify`,
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			file, err := findConfig(c)
			if err != nil {
				return err
			}
			if _, err := readConfig(file); err != nil {
				return exit{code: exitUsage, text: err.Error()}
			}
			if file == "" {
				_, err = fmt.Fprintln(std.out, "there is no "+configName+" here or above; the defaults apply")
				return err
			}
			_, err = fmt.Fprintln(std.out, slashed(file)+" is valid")
			return err
		},
	}
	addConfigFlag(verify)
	schema := &cobra.Command{
		Use:     "schema",
		Short:   "Print the JSON schema of the configuration, for editors",
		Example: `  kratix-schedule config schema`,
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			text, err := configSchema()
			if err != nil {
				return err
			}
			_, err = std.out.Write(text)
			return err
		},
	}
	command.AddCommand(verify, schema)
	return command
}

func configSchema() ([]byte, error) {
	properties := map[string]any{}
	for name, flag := range settable() {
		property := map[string]any{"description": flag.Usage}
		switch kind := flag.Value.Type(); {
		case kind == "bool":
			property["type"] = "boolean"
		case kind == "int":
			property["type"], property["minimum"] = "integer", 0
		case isList(flag):
			property["type"], property["items"] = []string{"array", "string"}, map[string]any{"type": "string"}
		default:
			property["type"] = "string"
		}
		properties[name] = property
	}
	restrict(properties, "fail-on", map[string]any{"enum": []string{"error", "warning", "none"}})
	restrict(properties, "on-conflict", map[string]any{"enum": []string{"quarantine", "share", "report"}})
	restrict(properties, "check-apply", map[string]any{"enum": []string{"quarantine", "warn", "off"}})
	restrict(properties, "requests", map[string]any{"minimum": 1, "maximum": maxRequests})
	restrict(properties, "live-store", map[string]any{
		"items": map[string]any{"type": "string", "pattern": liveStorePattern()}, "pattern": liveStorePattern(),
	})
	formats := ""
	for i, name := range report.FormatNames() {
		if i > 0 {
			formats += "|"
		}
		formats += name
	}
	restrict(properties, "output", map[string]any{
		"items":   map[string]any{"type": "string", "pattern": "^(" + formats + ")(=.+)?$"},
		"pattern": "^(" + formats + ")(=.+)?$",
	})
	text, err := json.MarshalIndent(map[string]any{
		"$schema":              "https://json-schema.org/draft/2020-12/schema",
		"title":                "The configuration of kratix-schedule, " + configName,
		"type":                 "object",
		"additionalProperties": false,
		"properties":           properties,
	}, "", "  ")
	return append(text, '\n'), err
}

func restrict(properties map[string]any, name string, more map[string]any) {
	property, _ := properties[name].(map[string]any)
	for key, value := range more {
		property[key] = value
	}
}
