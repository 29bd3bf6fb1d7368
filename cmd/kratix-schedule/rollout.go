package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

func rolloutCommand(std streams) *cobra.Command {
	command := &cobra.Command{
		Use:     "rollout",
		Short:   "Show Rollouts, pause, resume, approve and abort them",
		Example: `  kratix-schedule rollout status operators -f testdata/rollout`,
		Args:    noSubcommand,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	command.AddCommand(rolloutStatusCommand(std), rolloutPauseCommand(std), rolloutResumeCommand(std), rolloutApproveCommand(std), rolloutAbortCommand(std), rolloutHistoryCommand(std))
	return command
}

type rolloutStatusFlags struct {
	input  inputFlags
	kube   bool
	api    apiFlags
	server string
	output string
}

func rolloutStatusCommand(std streams) *cobra.Command {
	var flags rolloutStatusFlags
	command := &cobra.Command{
		Use:   "status [NAME]",
		Short: "Show the waves of Rollouts",
		Long: `Show the waves of Rollouts, and with -o wide their Destinations. Nothing is written.
One of these flags names where to look:

  -f PATH       files, and the state stores that they name, as plan reads them
  --kube        the status of the Rollouts of a cluster, which has no Destinations
  --server URL  the last report of a running daemon

Exit status: 0 it is shown, 2 wrong usage or no such Rollout, 3 the source cannot be
read.`,
		Example: `  kratix-schedule rollout status operators -f testdata/rollout -o wide`,
		Args:    atMostOneRollout,
		RunE:    func(c *cobra.Command, args []string) error { return runRolloutStatus(c, &flags, args, std) },
	}
	flags.input.add(command)
	pathFlags(command, "filename")
	command.Flags().BoolVar(&flags.kube, "kube", false, "read the Rollouts of a cluster from the Kubernetes API")
	flags.api.add(command)
	command.Flags().StringVar(&flags.server, "server", "", "URL of a running daemon, such as http://127.0.0.1:8080, whose last report is read")
	command.Flags().StringVarP(&flags.output, "output", "o", "", "format: wide, yaml or json; by default one line for each wave")
	_ = command.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"wide", "yaml", "json"}, cobra.ShellCompDirectiveNoFileComp)) // the flag exists
	return command
}

func atMostOneRollout(c *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usage(c, "unexpected argument "+args[1]+": name one Rollout")
	}
	return nil
}

func runRolloutStatus(c *cobra.Command, flags *rolloutStatusFlags, args []string, std streams) error {
	if flags.output != "" && !slices.Contains([]string{"wide", "yaml", "json"}, flags.output) {
		return usage(c, fmt.Sprintf("--output %s: there is no such format; use wide, yaml or json", flags.output))
	}
	all, err := flags.read(c, std)
	if err != nil {
		return err
	}
	if len(args) > 0 {
		all = slices.DeleteFunc(all, func(r report.Rollout) bool { return r.Name != args[0] })
		if len(all) == 0 {
			return usage(c, "there is no Rollout named "+args[0]+" here that selects a placed Work")
		}
	}
	if len(all) == 0 && flags.output != "json" && flags.output != "yaml" {
		_, _ = fmt.Fprintln(std.err, "No resources found.")
		return nil
	}
	return writeRollouts(std.out, all, flags.output)
}

func writeRollouts(out io.Writer, all []report.Rollout, format string) error {
	var text []byte
	var err error
	switch format {
	case "json":
		text, err = json.MarshalIndent(all, "", "  ")
		text = append(text, '\n')
	case "yaml":
		text, err = yaml.Marshal(all)
	default:
		return writeRolloutLines(out, all, format == "wide")
	}
	if err == nil {
		_, err = out.Write(text)
	}
	return err
}

func writeRolloutLines(out io.Writer, all []report.Rollout, isWide bool) error {
	for i := range all {
		if err := report.RolloutLines(out, all[i:i+1]); err != nil {
			return err
		}
		if !isWide {
			continue
		}
		if err := all[i].DestinationLines(out); err != nil {
			return err
		}
	}
	return nil
}

func (f *rolloutStatusFlags) read(c *cobra.Command, std streams) ([]report.Rollout, error) {
	given := 0
	for _, is := range []bool{len(f.input.paths) > 0, f.kube, f.server != ""} {
		if is {
			given++
		}
	}
	switch {
	case given == 0:
		return nil, usage(c, "nothing to read: name files with -f, a cluster with --kube, or a daemon with --server")
	case given > 1:
		return nil, usage(c, "-f, --kube and --server exclude each other")
	case f.kube:
		return f.readKube(c.Context())
	case f.server != "":
		return serverRollouts(c, f.server)
	}
	in, err := f.input.source(c, std)
	if err != nil {
		return nil, err
	}
	rows := &inputRows{in: in, std: std}
	if _, err := rows.list(c.Context()); err != nil {
		return nil, err
	}
	return rows.last.Rollouts, rows.problem()
}

// serverRollouts returns the Rollouts in the last report of a daemon.
func serverRollouts(c *cobra.Command, url string) ([]report.Rollout, error) {
	server, err := newServerRows(c, url)
	if err != nil {
		return nil, err
	}
	var said struct {
		Rollouts []report.Rollout `json:"rollouts"`
	}
	err = server.read(c.Context(), func(in io.Reader) error { return json.NewDecoder(in).Decode(&said) })
	return said.Rollouts, err
}

func (f *rolloutStatusFlags) readKube(ctx context.Context) ([]report.Rollout, error) {
	client, err := newRolloutClient(f.api, "--kube")
	if err != nil {
		return nil, err
	}
	objects, err := client.list(ctx)
	if err != nil {
		return nil, err
	}
	var all []report.Rollout
	for _, r := range objects {
		for _, p := range r.Status.Promises {
			one := report.Rollout{Name: r.Name, Promise: p.PromiseName, Revision: p.Revision, Phase: p.Phase, Reason: p.Reason}
			for _, wave := range p.Waves {
				one.Waves = append(one.Waves, report.RolloutWave(wave))
			}
			all = append(all, one)
		}
	}
	return all, nil
}

// waitingWave returns the wave that waits for an approval, with its revision. It returns an error
// unless exactly one wave waits.
func waitingWave(r *kratix.Rollout) (revision, wave string, err error) {
	for _, p := range r.Status.Promises {
		for _, w := range p.Waves {
			if !strings.HasPrefix(w.Reason, "it waits for the approval") {
				continue
			}
			if wave != "" {
				return "", "", errors.New("waves of several Promises wait: name one with --promise")
			}
			revision, wave = p.Revision, w.Name
		}
	}
	if wave == "" {
		return "", "", errors.New("no wave waits for an approval")
	}
	return revision, wave, nil
}
