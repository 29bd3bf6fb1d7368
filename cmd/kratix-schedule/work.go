package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/source/pipeline"
)

func workCommand(std streams) *cobra.Command {
	var from string
	var options pipeline.Options
	command := &cobra.Command{
		Use:   "work --from DIR --promise NAME",
		Short: "Make the Work of a pipeline's directories",
		Long: `Make the Work that Kratix's work-writer would create of the directories input/,
output/ and metadata/ that a pipeline leaves behind, and print it as YAML.`,
		Example: `  kratix-schedule work --from testdata/elastic-cloud/pipelines/example --promise elastic-cloud --pipeline instance
  kratix-schedule work --from testdata/elastic-cloud/pipelines/redis --promise redis --selectors environment=prod | kratix-schedule validate -`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case from == "":
				return usage(c, "--from is missing: name the directory that holds input/, output/ and metadata/")
			case options.Promise == "":
				return usage(c, "--promise is missing: name the Promise that the pipeline belongs to")
			case options.Type != kratix.ResourceWorkType && options.Type != kratix.PromiseWorkType:
				return usage(c, fmt.Sprintf("--type %q is not known: use resource or promise", options.Type))
			}
			options.Selector.Source = kratix.PromiseSource
			return printWork(from, options, std)
		},
	}
	command.Flags().StringVar(&from, "from", "", "directory that holds input/, output/ and metadata/")
	command.Flags().StringVar(&options.Promise, "promise", "", "the Promise's name")
	command.Flags().StringVar(&options.Pipeline, "pipeline", "", "the pipeline's name; it becomes a part of the path")
	command.Flags().StringVar(&options.Type, "type", kratix.ResourceWorkType, "resource, for a request's pipeline, or promise, for dependencies")
	command.Flags().StringToStringVar(&options.Selector.MatchLabels, "selectors", nil, "labels that the Promise's destinationSelectors ask for, as k=v,k=v")
	return command
}

func printWork(from string, options pipeline.Options, std streams) error {
	root, err := os.OpenRoot(from)
	if err != nil {
		return exit{code: exitUsage, text: "--from " + from + ": " + unwrapped(err).Error()}
	}
	defer func() { _ = root.Close() }()
	work, err := pipeline.Read(root.FS(), options)
	switch {
	case errors.Is(err, pipeline.ErrSuspended):
		_, _ = fmt.Fprintln(std.err, "kratix-schedule: "+err.Error())
		return nil
	case errors.Is(err, pipeline.ErrInput):
		return exit{code: exitUsage, text: from + ": " + err.Error()}
	case err != nil:
		return err
	}
	text, err := yaml.Marshal(work)
	if err != nil {
		return err
	}
	_, err = std.out.Write(text)
	return err
}
