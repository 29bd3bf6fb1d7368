package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/listing"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/rollout"
	"github.com/kratix-schedule/kratix-schedule/source"
)

type rolloutHistoryDocument struct {
	SchemaVersion int           `json:"schemaVersion"`
	Kind          string        `json:"kind"`
	Rollout       string        `json:"rollout"`
	Works         []workHistory `json:"works"`
}

type workHistory struct {
	Work   string         `json:"work"`
	Stores []storeHistory `json:"stores"`
}

func rolloutHistoryCommand(std streams) *cobra.Command {
	var flags historyFlags
	command := &cobra.Command{
		Use:   "history NAME",
		Short: "Show the revisions of the Works that a Rollout selects",
		Long: `Show the revisions of state stores that changed the Works which a Rollout selects, the
newest first, as history does for one Work. Nothing is written. The Works and stores
are those of the input (-f) or of a cluster (--kube, which reads the Secrets of the
stores). With --store the Works are those whose records in the store name the Rollout.

Exit status: 0 there is a history, 2 wrong usage, no such Rollout or no such revision,
3 a store cannot be read.`,
		Example: `  kratix-schedule run -f testdata/rollout --once; kratix-schedule rollout history operators -f testdata/rollout`,
		RunE:    func(c *cobra.Command, args []string) error { return runRolloutHistory(c, &flags, args, std) },
	}
	flags.add(command)
	return command
}

func runRolloutHistory(c *cobra.Command, flags *historyFlags, args []string, std streams) error {
	if len(args) != 1 {
		return usage(c, "name one Rollout")
	}
	if err := flags.checkSource(c); err != nil {
		return err
	}
	if err := flags.checkFlags(c); err != nil {
		return err
	}
	stores, works, err := flags.rolledOut(c, args[0], std)
	if err != nil {
		return err
	}
	document := rolloutHistoryDocument{listing.SchemaVersion, "rolloutHistory", args[0], []workHistory{}}
	var failures []error
	for _, work := range works {
		flags.query.Work = work
		_, read, failed := readHistories(c.Context(), stores, *flags)
		failures = append(failures, failed...)
		if !hasEntries(read) {
			if len(failed) == 0 {
				warn(std, "%s", noHistory(flags.query, read))
			}
			continue
		}
		document.Works = append(document.Works, workHistory{work, read})
	}
	switch {
	case len(document.Works) > 0:
		if err := document.write(std.out, flags); err != nil {
			return err
		}
	case len(failures) == 0:
		return exit{code: exitUsage, text: "no revision changed a Work of Rollout " + args[0]}
	}
	if len(failures) > 0 {
		return failures[0]
	}
	return nil
}

func (d *rolloutHistoryDocument) write(out io.Writer, flags *historyFlags) error {
	if flags.output == "json" || flags.output == "yaml" {
		return writeDocument(out, flags.output, d)
	}
	for _, one := range d.Works {
		if _, err := fmt.Fprintln(out, kratix.WorkKind+" "+printable.Line(one.Work)+":"); err != nil {
			return err
		}
		if err := writeHistories(out, *flags, one.Work, one.Stores); err != nil {
			return err
		}
	}
	return nil
}

// rolledOut returns the stores of the input, and the Works of a Rollout, sorted.
func (f *historyFlags) rolledOut(c *cobra.Command, name string, std streams) (stores []namedStore, works []string, err error) {
	if f.store.url != "" {
		if stores, err = f.stores(c, std); err == nil {
			works, err = recordedWorks(c.Context(), stores[0], name)
		}
	} else if works, err = f.selectedWorks(c, name, std); err == nil {
		stores, err = f.stores(c, std)
	}
	switch {
	case err != nil || len(works) > 0:
	case f.store.url != "":
		err = usage(c, "no record in "+stores[0].name+" names a Rollout "+name)
	default:
		err = usage(c, "Rollout "+name+" selects no Work here")
	}
	return stores, works, err
}

// recordedWorks returns the Works in a store whose records name a Rollout.
func recordedWorks(ctx context.Context, of namedStore, name string) ([]string, error) {
	state, err := of.store.Read(ctx)
	if err != nil {
		return nil, of.fix(err)
	}
	works := map[string]bool{}
	for path := range state.Files.All() {
		if _, isRecord := layout.RecordBase(path); !isRecord {
			continue
		}
		content, err := state.Contents.Content(ctx, path)
		if err != nil {
			return nil, of.fix(err)
		}
		record, err := layout.ParseRecord(content)
		if err == nil && record.Placement != nil && record.Rollout != nil && record.Rollout.Name == name {
			works[record.Placement.Work().String()] = true
		}
	}
	return slices.Sorted(maps.Keys(works)), nil
}

// selectedWorks returns the Works of files or of a cluster that a Rollout selects.
func (f *historyFlags) selectedWorks(c *cobra.Command, name string, std streams) ([]string, error) {
	if f.kube {
		return f.clusterWorks(c, name)
	}
	in, err := f.input.source(c, std)
	if err != nil {
		return nil, err
	}
	snapshot, err := in.Snapshot(c.Context())
	if err != nil {
		return nil, inputError(err)
	}
	r := rolloutNamed(snapshot, name)
	if r == nil {
		return nil, usage(c, "there is no Rollout named "+name+" here")
	}
	selected, err := rollout.CompileWorks(r)
	if err != nil {
		return nil, usage(c, "Rollout "+name+": "+err.Error())
	}
	var works []string
	for _, work := range snapshot.Works {
		if selected.Selects(work.Spec.PromiseName, work.IsDependency(), work.Labels) {
			works = append(works, kratix.KeyOf(work).String())
		}
	}
	slices.Sort(works)
	return works, nil
}

func rolloutNamed(snapshot source.Snapshot, name string) *kratix.Rollout {
	at := slices.IndexFunc(snapshot.Rollouts, func(r *kratix.Rollout) bool { return r.Name == name })
	if at < 0 {
		return nil
	}
	return snapshot.Rollouts[at]
}

func (f *historyFlags) clusterWorks(c *cobra.Command, name string) ([]string, error) {
	client, err := newRolloutClient(f.api, "--kube")
	if err != nil {
		return nil, err
	}
	r, err := client.get(c, name)
	if err != nil {
		return nil, err
	}
	selected, err := rollout.CompileWorks(r)
	if err != nil {
		return nil, usage(c, "Rollout "+name+": "+err.Error())
	}
	var works []string
	err = (&clusterRows{client.client}).listKind(c.Context(), kratix.WorkKind, "works", func(o listing.Object) {
		if selected.Selects(o.Spec.PromiseName, o.Spec.ResourceName == "", o.Metadata.Labels) {
			works = append(works, kratix.Key{Namespace: o.Metadata.Namespace, Name: o.Metadata.Name}.String())
		}
	})
	if err != nil {
		return nil, fmt.Errorf("--kube: list works: %w", err)
	}
	slices.Sort(works)
	return works, nil
}

func hasEntries(read []storeHistory) bool {
	return slices.ContainsFunc(read, func(h storeHistory) bool { return len(h.Entries) > 0 })
}
