package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/kubeclient"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/rollout"
)

const setUsage = `
The Rollout is read from the cluster and changed there. With -f it is read from files,
which are not written: what is to be edited in which file is printed.

Exit status: 0 it is so now, or with -f the edit is printed, 2 wrong usage or no such
Rollout, 3 the API server refuses, or with -f a state store cannot be read.`

type setFlags struct {
	api   apiFlags
	input inputFlags
	// promise selects a Promise of the Rollout. It is empty for commands that concern all.
	promise string
	// needsState means that the edit depends on the status of the Rollout. With files, it is in the
	// report of the daemon at server, or else computed from the state stores.
	needsState bool
	server     string
}

// setCommand returns a command that changes a Rollout, or prints the change of a file. edit
// returns the change.
func setCommand(std streams, flags *setFlags, name, short, long string, edit func(*kratix.Rollout) (rolloutEdit, error)) *cobra.Command {
	command := &cobra.Command{
		Use: name + " NAME", Short: short, Long: long + setUsage,
		Example: "  kratix-schedule rollout " + name + " operators --context my-cluster",
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case len(args) != 1:
				return usage(c, "name one Rollout")
			case len(flags.input.paths) == 0 && flags.server != "":
				return usage(c, "--server is for -f: name the files of the Rollout")
			case len(flags.input.paths) == 0:
				return flags.change(c, args[0], name, std, edit)
			case flags.api != (apiFlags{}):
				return usage(c, "-f and a cluster (--kubeconfig, --context) exclude each other")
			}
			return flags.explain(c, args[0], std, edit)
		},
	}
	flags.api.add(command)
	flags.input.add(command)
	pathFlags(command, "filename")
	if flags.needsState {
		command.Flags().StringVar(&flags.server, "server", "", "with -f, URL of the daemon that reads these files, such as http://127.0.0.1:8080, whose last report has the state; by default the state stores are read, without reports of agents")
	}
	return command
}

func (f *setFlags) change(c *cobra.Command, name, asks string, std streams, edit func(*kratix.Rollout) (rolloutEdit, error)) error {
	client, err := newRolloutClient(f.api, "rollout "+asks)
	var misused exit
	if errors.As(err, &misused) {
		misused.text += "; if the Rollout is in files, name them with -f"
		return misused
	}
	if err != nil {
		return err
	}
	r, err := client.get(c, name)
	if err != nil {
		return err
	}
	change, err := edit(ofPromise(r, f.promise))
	if err != nil {
		return exit{code: exitUsage, text: "Rollout " + r.Name + ": " + err.Error()}
	}
	if err := client.patch(c.Context(), r, change.patch()); err != nil {
		return err
	}
	_, err = fmt.Fprintln(std.out, printable.Line("Rollout "+r.Name+" "+change.done))
	return err
}

func rolloutPauseCommand(std streams) *cobra.Command {
	return setCommand(std, &setFlags{}, "pause", "Change no further Destination", `Set spec.paused of a Rollout, so that no further Destination changes. Those that were
changed stay so.
`, func(r *kratix.Rollout) (rolloutEdit, error) {
		return rolloutEdit{path: []string{"spec", "paused"}, value: true, done: "is paused", isDone: r.Spec.Paused}, nil
	})
}

func rolloutResumeCommand(std streams) *cobra.Command {
	return setCommand(std, &setFlags{}, "resume", "Go on after a pause", `Remove spec.paused of a Rollout.
`, func(r *kratix.Rollout) (rolloutEdit, error) {
		return rolloutEdit{path: []string{"spec", "paused"}, done: "goes on", isDone: !r.Spec.Paused}, nil
	})
}

func rolloutApproveCommand(std streams) *cobra.Command {
	flags := &setFlags{needsState: true}
	command := setCommand(std, flags, "approve", "Let the wave begin that waits for an approval", `Let the wave of a Rollout begin that waits for an approval, for the present revision: add
it to the annotation `+kratix.ApproveAnnotation+`.
`, func(r *kratix.Rollout) (rolloutEdit, error) {
		revision, wave, err := waitingWave(r)
		if err != nil {
			return rolloutEdit{}, err
		}
		approvals := withApproval(r.Annotations[kratix.ApproveAnnotation], rollout.Approval(revision, wave))
		return annotated(kratix.ApproveAnnotation, approvals, "is approved: wave "+wave+" of revision "+revision), nil
	})
	command.Flags().StringVar(&flags.promise, "promise", "", "Promise whose wave is meant, if several wait")
	return command
}

func rolloutAbortCommand(std streams) *cobra.Command {
	flags := &setFlags{needsState: true}
	command := setCommand(std, flags, "abort", "Give the Destinations that were changed the former content back", `Give up the present revision of a Rollout: the Destinations that were changed get their
former content back, the last wave first. Set the annotation `+kratix.AbortAnnotation+`.
`, func(r *kratix.Rollout) (rolloutEdit, error) {
		promises := r.Status.Promises
		if len(promises) != 1 {
			return rolloutEdit{}, fmt.Errorf("it has the Works of %d Promises: name one with --promise", len(promises))
		}
		change := annotated(kratix.AbortAnnotation, promises[0].Revision, "is aborted: revision "+promises[0].Revision)
		change.isDone = r.Annotations[kratix.AbortAnnotation] == promises[0].Revision
		return change, nil
	})
	command.Flags().StringVar(&flags.promise, "promise", "", "Promise whose revision is given up, if the Rollout selects several")
	return command
}

const maxApprovals = 32

// withApproval adds an approval to a list, and drops the oldest approvals above maxApprovals.
func withApproval(list, one string) string {
	var all []string
	for other := range strings.SplitSeq(list, ",") {
		if other = strings.TrimSpace(other); other != "" && other != one {
			all = append(all, other)
		}
	}
	all = append(all, one)
	return strings.Join(all[max(0, len(all)-maxApprovals):], ",")
}

// ofPromise returns a Rollout with the state of one Promise, or with all states if promise is
// empty.
func ofPromise(r *kratix.Rollout, promise string) *kratix.Rollout {
	if promise == "" {
		return r
	}
	only := r.DeepCopy()
	only.Status.Promises = slices.DeleteFunc(only.Status.Promises, func(p kratix.RolloutPromise) bool { return p.PromiseName != promise })
	return only
}

type rolloutClient struct{ client rest.Interface }

const rolloutsPath = "/apis/" + kratix.OwnAPIVersion + "/rollouts"

func newRolloutClient(api apiFlags, asks string) (*rolloutClient, error) {
	config, err := api.config(asks)
	if err != nil {
		return nil, err
	}
	client, err := kubeclient.New(config)
	return &rolloutClient{client}, err
}

func (r *rolloutClient) get(c *cobra.Command, name string) (*kratix.Rollout, error) {
	if len(validation.IsDNS1123Subdomain(name)) > 0 {
		return nil, usage(c, "there is no Rollout named "+name+" in the cluster")
	}
	text, err := readBounded(c.Context(), r.client.Get().AbsPath(rolloutsPath+"/"+name))
	if apierrors.IsNotFound(err) {
		return nil, usage(c, "there is no Rollout named "+name+" in the cluster")
	}
	if err != nil {
		return nil, fmt.Errorf("read Rollout %s: %w", name, err)
	}
	read := &kratix.Rollout{}
	return read, json.Unmarshal(text, read)
}

func (r *rolloutClient) list(ctx context.Context) ([]kratix.Rollout, error) {
	text, err := readBounded(ctx, r.client.Get().AbsPath(rolloutsPath))
	if err != nil {
		return nil, fmt.Errorf("--kube: list rollouts: %w", err)
	}
	var list struct {
		Items []kratix.Rollout `json:"items"`
	}
	return list.Items, json.Unmarshal(text, &list)
}

// patch changes a Rollout, and fails if the Rollout was changed since it was read.
func (r *rolloutClient) patch(ctx context.Context, of *kratix.Rollout, patch map[string]any) error {
	metadata, _ := patch["metadata"].(map[string]any)
	if metadata == nil {
		metadata = map[string]any{}
	}
	metadata["resourceVersion"] = of.ResourceVersion
	patch["metadata"] = metadata
	body, err := json.Marshal(patch)
	if err != nil {
		return err
	}
	if err := r.client.Patch(types.MergePatchType).AbsPath(rolloutsPath, of.Name).Body(body).Do(quiet(ctx)).Error(); err != nil {
		return fmt.Errorf("change Rollout %s: %w", of.Name, err)
	}
	return nil
}
