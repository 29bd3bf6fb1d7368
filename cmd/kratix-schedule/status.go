package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/internal/status/writers"
	"github.com/kratix-schedule/kratix-schedule/source/pipeline"
)

type statusFlags struct {
	from      string
	condition string
	api       apiFlags
}

func statusCommand(std streams) *cobra.Command {
	var flags statusFlags
	command := &cobra.Command{
		Use:   "status --from DIR",
		Short: "Write the status that a pipeline reports to its request",
		Long: `Merge metadata/status.yaml, which a pipeline leaves behind, into the status of its
request, and add the condition that says that the pipeline is done. The keys of the
file replace the same keys of the status, a key without a value removes the key, and
everything else in the status stays. A status that is already so is not written.

The request is the one in input/object.yaml; without that file it is the one that
KRATIX_OBJECT_GROUP, _VERSION, _KIND, _NAME and _NAMESPACE name, as Kratix sets
them. So the command can stand in for Kratix's status-writer, and needs the same
rights: to get the request and to update its status.

The condition is left out while metadata/workflow-control.yaml asks for another run,
and with IS_LAST_PIPELINE=false, as Kratix sets it while other pipelines follow.`,
		Example: `  kratix-schedule status --from /kratix
  kratix-schedule status --from /kratix --condition none # another pipeline follows`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return runStatus(c, flags, std) },
	}
	command.Flags().StringVar(&flags.from, "from", "", "directory that holds metadata/ and, if needed, input/")
	command.Flags().StringVar(&flags.condition, "condition", writers.PipelineCompleted().Type,
		"condition that says that the pipeline is done: PipelineCompleted, ConfigureWorkflowCompleted, as Kratix has it since 2025, or none")
	flags.api.add(command)
	return command
}

func runStatus(c *cobra.Command, flags statusFlags, std streams) error {
	if flags.from == "" {
		return usage(c, "--from is missing: name the directory that holds metadata/")
	}
	completion, err := completionNamed(c, flags.condition)
	if err != nil {
		return err
	}
	request, said, err := readStatus(flags.from)
	switch {
	case errors.Is(err, pipeline.ErrSuspended):
		_, _ = fmt.Fprintln(std.err, "kratix-schedule: "+printable.Line(err.Error())+"; no condition says that it is done")
		completion = nil
	case errors.Is(err, pipeline.ErrInput):
		return exit{code: exitUsage, text: flags.from + ": " + err.Error()}
	case err != nil:
		return err
	}
	config, err := flags.api.config("the Kubernetes API")
	if err != nil {
		return err
	}
	to, err := writers.New(config, time.Now)
	if err != nil {
		return err
	}
	outcome, err := to.Status(quiet(c.Context()), request, said, completion)
	if err != nil {
		return err
	}
	return printStatus(std, request, outcome)
}

// completionNamed returns the completion with a condition type, or nil if none is to be written.
func completionNamed(c *cobra.Command, name string) (*writers.Completion, error) {
	named := map[string]*writers.Completion{"none": nil}
	for _, known := range []writers.Completion{writers.PipelineCompleted(), writers.ConfigureWorkflowCompleted()} {
		named[known.Type] = &known
	}
	completion, known := named[name]
	if !known {
		return nil, usage(c, fmt.Sprintf("--condition %q is not known: use PipelineCompleted, ConfigureWorkflowCompleted or none", name))
	}
	if os.Getenv("IS_LAST_PIPELINE") == "false" {
		completion = nil
	}
	return completion, nil
}

// readStatus returns the request of a pipeline, and the status that the pipeline has written. If the
// pipeline has suspended the workflow, it returns both together with ErrSuspended.
func readStatus(from string) (kratix.Header, map[string]any, error) {
	root, err := os.OpenRoot(from)
	if err != nil {
		return kratix.Header{}, nil, exit{code: exitUsage, text: "--from " + from + ": " + unwrapped(err).Error()}
	}
	defer func() { _ = root.Close() }()
	said, err := pipeline.ReadStatus(root.FS())
	if err != nil {
		return kratix.Header{}, nil, err
	}
	request, err := pipeline.ReadRequest(root.FS())
	if errors.Is(err, pipeline.ErrNoRequest) && os.Getenv("KRATIX_OBJECT_NAME") != "" {
		request, err = requestOfKratix(), nil
	}
	if err != nil {
		return kratix.Header{}, nil, err
	}
	if isDryRun() {
		if said == nil {
			said = map[string]any{}
		}
		said["message"] = "Dry run executed"
	}
	return request, said, pipeline.Control(root.FS())
}

func requestOfKratix() kratix.Header {
	var request kratix.Header
	version := schema.GroupVersion{Group: os.Getenv("KRATIX_OBJECT_GROUP"), Version: os.Getenv("KRATIX_OBJECT_VERSION")}
	request.APIVersion = version.String()
	request.Kind = os.Getenv("KRATIX_OBJECT_KIND")
	request.Metadata.Name = os.Getenv("KRATIX_OBJECT_NAME")
	request.Metadata.Namespace = os.Getenv("KRATIX_OBJECT_NAMESPACE")
	return request
}

// printStatus prints the changed keys, but not their values, which may be secret.
func printStatus(std streams, request kratix.Header, outcome writers.Result) error {
	if len(outcome.Lost) > 0 {
		_, _ = fmt.Fprintf(std.err, "kratix-schedule: the API server did not keep all of %s in the status of %s: its CustomResourceDefinition does not have such fields\n",
			printable.Line(strings.Join(outcome.Lost, ", ")), printable.Line(request.String()))
	}
	if len(outcome.Changed) == 0 {
		_, err := fmt.Fprintf(std.out, "unchanged status of %s\n", printable.Line(request.String()))
		return err
	}
	_, err := fmt.Fprintf(std.out, "updated status of %s: %s\n", printable.Line(request.String()), printable.Line(strings.Join(outcome.Changed, ", ")))
	return err
}
