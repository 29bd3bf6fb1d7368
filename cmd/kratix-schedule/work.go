package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/internal/status/writers"
	"github.com/kratix-schedule/kratix-schedule/source/pipeline"
)

func workCommand(std streams) *cobra.Command {
	var flags workFlags
	command := &cobra.Command{
		Use:   "work --from DIR --promise NAME [--apply]",
		Short: "Make the Work from a pipeline's directories",
		Long: `Make the Work that Kratix's work-writer would create from the directories input/,
output/ and metadata/ that a pipeline leaves behind, and print it as YAML.

With --apply it is created in the cluster instead, or the one of an earlier run of
the same pipeline is updated; a Work that is already so is not written. So the
command can stand in for Kratix's work-writer, and needs the same rights: to list,
create and update Works in the namespace. With KRATIX_DRY_RUN=true, as Kratix sets
it, the Work is one for Destinations of dry runs only.`,
		Example: `  kratix-schedule work --from testdata/elastic-cloud/pipelines/example --promise elastic-cloud --pipeline instance
  kratix-schedule work --from testdata/elastic-cloud/pipelines/redis --promise redis --selectors environment=prod | kratix-schedule validate -
  kratix-schedule work --from /kratix --promise redis --pipeline instance --apply`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := flags.check(c); err != nil {
				return err
			}
			work, err := readWork(flags.from, flags.options, std)
			if err != nil || work == nil {
				return err
			}
			if flags.apply {
				return applyWork(c.Context(), work, flags.api, std)
			}
			text, err := yaml.Marshal(work)
			if err != nil {
				return err
			}
			_, err = std.out.Write(text)
			return err
		},
	}
	flags.add(command)
	return command
}

type workFlags struct {
	from    string
	options pipeline.Options
	apply   bool
	api     apiFlags
}

func (f *workFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.from, "from", "", "directory that holds input/, output/ and metadata/")
	c.Flags().StringVar(&f.options.Promise, "promise", "", "the Promise's name")
	c.Flags().StringVar(&f.options.Pipeline, "pipeline", "", "the pipeline's name; it becomes a part of the path")
	c.Flags().StringVar(&f.options.Type, "type", kratix.ResourceWorkType, "resource, for a request's pipeline, or promise, for dependencies")
	c.Flags().StringToStringVar(&f.options.Selector.MatchLabels, "selectors", nil, "labels that the Promise's destinationSelectors ask for, as k=v,k=v")
	c.Flags().StringArrayVar(&f.options.Annotations, "copy-annotation", nil, "annotation that the Work takes from the request, such as the one of run --author-from-annotation; may be repeated")
	c.Flags().BoolVar(&f.apply, "apply", false, "create or update the Work in the cluster, and print what was done")
	f.api.add(c)
	f.options.Selector.Source = kratix.PromiseSource
}

func (f *workFlags) check(c *cobra.Command) error {
	switch {
	case f.from == "":
		return usage(c, "--from is missing: name the directory that holds input/, output/ and metadata/")
	case f.options.Promise == "":
		return usage(c, "--promise is missing: name the Promise that the pipeline belongs to")
	case f.options.Type != kratix.ResourceWorkType && f.options.Type != kratix.PromiseWorkType:
		return usage(c, fmt.Sprintf("--type %q is not known: use resource or promise", f.options.Type))
	case f.apply && f.options.Pipeline == "":
		return usage(c, "--apply needs --pipeline: its name distinguishes the Works of a request")
	}
	for _, key := range f.options.Annotations {
		if len(validation.IsQualifiedName(key)) > 0 {
			return usage(c, fmt.Sprintf("--copy-annotation %q: it cannot be the name of an annotation", key))
		}
	}
	return nil
}

// readWork returns the Work of a pipeline, or nil if the pipeline is suspended.
func readWork(from string, options pipeline.Options, std streams) (*kratix.Work, error) {
	root, err := os.OpenRoot(from)
	if err != nil {
		return nil, exit{code: exitUsage, text: "--from " + from + ": " + unwrapped(err).Error()}
	}
	defer func() { _ = root.Close() }()
	work, err := pipeline.Read(root.FS(), options)
	switch {
	case errors.Is(err, pipeline.ErrSuspended):
		_, _ = fmt.Fprintln(std.err, "kratix-schedule: "+printable.Line(err.Error()))
		return nil, nil //nolint:nilnil // the pipeline requests no Work
	case errors.Is(err, pipeline.ErrInput):
		return nil, exit{code: exitUsage, text: from + ": " + err.Error()}
	case err != nil:
		return nil, err
	}
	if isDryRun() {
		work.Labels[kratix.DryRunLabel] = "true"
	}
	return work, nil
}

func isDryRun() bool { return os.Getenv("KRATIX_DRY_RUN") == "true" }

func applyWork(ctx context.Context, work *kratix.Work, api apiFlags, std streams) error {
	config, err := api.config("--apply")
	if err != nil {
		return err
	}
	to, err := writers.New(config, time.Now)
	if err != nil {
		return err
	}
	outcome, key, err := to.Work(quiet(ctx), work)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "%s Work %s\n", outcome, key)
	return err
}
