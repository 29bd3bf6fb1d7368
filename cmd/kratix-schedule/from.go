package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/listing"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/source/dir"
	"github.com/kratix-schedule/kratix-schedule/statestore/open"
)

type fromFlags struct {
	input  inputFlags
	kube   bool
	api    apiFlags
	store  storeFlag
	server string
}

func (f *fromFlags) add(c *cobra.Command) {
	f.input.add(c)
	pathFlags(c, "filename")
	c.Flags().BoolVar(&f.kube, "kube", false, "read the objects of a cluster from the Kubernetes API; no Secret is read")
	f.api.add(c)
	f.store.add(c)
	c.Flags().StringVar(&f.server, "server", "", "URL of a running daemon, such as http://127.0.0.1:8080, whose last report is read")
}

type rowSource interface {
	list(ctx context.Context) (listing.Listing, error)
	problem() error
}

func (f *fromFlags) open(c *cobra.Command, std streams) (rowSource, error) {
	given := 0
	for _, is := range []bool{len(f.input.paths) > 0, f.kube, f.store.url != "", f.server != ""} {
		if is {
			given++
		}
	}
	switch {
	case given == 0:
		return nil, usage(c, "nothing to read: name files with -f, a cluster with --kube, a repository or bucket with --store, or a daemon with --server")
	case given > 1:
		return nil, usage(c, "-f, --kube, --store and --server exclude each other")
	case f.kube:
		return newClusterRows(f.api)
	case f.server != "":
		return newServerRows(c, f.server)
	case f.store.url != "":
		return newStoreRows(c, &f.store, std)
	}
	in, err := f.input.source(c, std)
	if err != nil {
		return nil, err
	}
	return &inputRows{in: in, std: std}, nil
}

type inputRows struct {
	in     *dir.Source
	std    streams
	rounds *reconcile.Reconciler
	seen   *keptSnapshot
	last   report.Report
}

var _ rowSource = (*inputRows)(nil)

type keptSnapshot struct {
	source.Source
	last source.Snapshot
}

func (k *keptSnapshot) Snapshot(ctx context.Context) (source.Snapshot, error) {
	var err error
	k.last, err = k.Source.Snapshot(ctx)
	return k.last, err
}

func (r *inputRows) list(ctx context.Context) (listing.Listing, error) {
	if r.rounds == nil {
		r.seen = &keptSnapshot{Source: r.in}
		r.rounds = &reconcile.Reconciler{
			Source: r.seen, Stores: open.ReadOnly{Opener: storesOf(open.Commits{}, branchFlags{})}, Finish: reconcile.Rehearse,
			Policy: lookPolicy(), Builder: r.std.builder, Now: time.Now, Missing: r.in.Missing,
		}
	}
	result, err := interruptible(ctx, r.rounds.Round)
	if err != nil {
		return listing.Listing{}, inputError(err)
	}
	r.last = result
	return listing.FromReport(result, r.seen.last), nil
}

// lookPolicy returns the default policy with --adopt, so that records of other controllers are
// read.
func lookPolicy() reconcile.Policy {
	var flags policyFlags
	flags.add(&cobra.Command{}) // sets the defaults
	flags.adopt = true
	return flags.policy()
}

// problem prints the findings about input that could not be read, and returns an error if there are
// any. It prints unread directories if nothing else was read.
func (r *inputRows) problem() error {
	var failed, unread []finding.Finding
	for _, f := range r.last.Findings {
		if f.Rule == finding.UnreadDirectory() {
			unread = append(unread, f)
		}
		if f.Rule == finding.StoreFailed() || f.Rule == finding.UnreadableInput() {
			failed = append(failed, f)
		}
	}
	if len(failed) == 0 {
		if len(r.seen.last.Works)+len(r.seen.last.Destinations) > 0 {
			return nil
		}
		return report.Text(r.std.err, unread)
	}
	if err := report.Text(r.std.err, slices.Collect(finding.Fold(slices.Values(failed)))); err != nil {
		return err
	}
	return exit{code: exitFailure, text: "rows may be missing: a store or a file cannot be read"}
}

func readQuickly(ctx context.Context, input inputFlags) (source.Snapshot, error) {
	in := &dir.Source{Paths: input.paths, Recursive: input.recursive, Now: time.Now}
	type outcome struct {
		snapshot source.Snapshot
		err      error
	}
	done := make(chan outcome, 1)
	go func() {
		snapshot, err := in.Snapshot(ctx)
		done <- outcome{snapshot, err}
	}()
	select {
	case is := <-done:
		return is.snapshot, is.err
	case <-ctx.Done():
		return source.Snapshot{}, ctx.Err()
	}
}

func namesIn(in source.Snapshot, kind listing.Kind) []string {
	var names []string
	switch kind {
	case listing.Placements, listing.Conflicts:
		for _, work := range in.Works {
			names = append(names, kratix.KeyOf(work).String())
		}
	case listing.Destinations:
		for _, d := range in.Destinations {
			names = append(names, d.Name)
		}
	case listing.Stores:
		for _, s := range in.StateStores.All() {
			names = append(names, s.GetName())
		}
	}
	return names
}

func warn(std streams, format string, values ...any) {
	_, _ = fmt.Fprintln(std.err, "warning: "+printable.Line(fmt.Sprintf(format, values...)))
}
