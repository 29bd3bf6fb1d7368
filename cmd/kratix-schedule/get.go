package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kratix-schedule/kratix-schedule/internal/listing"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
)

type getFlags struct {
	from      fromFlags
	output    string
	noHeaders bool
	watch     bool
	selector  string
	filter    listing.Filter
}

func getCommand(std streams) *cobra.Command {
	var flags getFlags
	command := &cobra.Command{
		Use:   "get placements|destinations|stores|conflicts [NAME...]",
		Short: "List placements, Destinations, state stores or conflicts",
		Long: `List placements, Destinations, state stores or conflicts, in the form of kubectl get.
Nothing is written. One of these flags names where to look:

  -f PATH       files, and the state stores that they name, as plan reads them
  --kube        the objects of a cluster, with the conditions that were reported
  --store URL   the records in one git repository or bucket
  --server URL  the last report of a running daemon

NAME is the name of a Work, with or without its namespace, of a Destination, of a
store, or of an object or rule of a conflict.

Exit status: 0 something or nothing was found, 2 wrong usage or no such NAME, 3 the
source cannot be read.`,
		Example: `  kratix-schedule get placements -f testdata/elastic-cloud
  kratix-schedule get destinations -f testdata/elastic-cloud -o wide`,
		ValidArgsFunction: flags.complete,
		RunE:              func(c *cobra.Command, args []string) error { return runGet(c, flags, args, std) },
	}
	flags.from.add(command)
	f := command.Flags()
	f.StringVarP(&flags.output, "output", "o", "", "format: wide, yaml, json or name; by default a table")
	f.BoolVar(&flags.noHeaders, "no-headers", false, "print a table without its titles")
	f.BoolVarP(&flags.watch, "watch", "w", false, "continue, and print the rows that change")
	f.StringVarP(&flags.filter.Namespace, "namespace", "n", "", "only rows of Works in this namespace; by default of all")
	f.StringVarP(&flags.selector, "selector", "l", "", "only rows whose labels match, such as team=a,tier!=test; not with --server")
	f.StringVar(&flags.filter.Destination, "destination", "", "only rows of this Destination")
	f.StringVar(&flags.filter.Promise, "promise", "", "only placements of this Promise")
	f.StringVar(&flags.filter.State, "state", "", "only rows in this state, such as held-back or failed")
	fixed := func(values ...string) cobra.CompletionFunc {
		return cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
	}
	_ = command.RegisterFlagCompletionFunc("output", fixed("wide", "yaml", "json", "name")) // the flag exists
	_ = command.RegisterFlagCompletionFunc("state", fixed(listing.States()...))
	return command
}

func (f *getFlags) complete(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return kindNames(), cobra.ShellCompDirectiveNoFileComp
	}
	kind, err := kindNamed(args[0])
	if err != nil || len(f.from.input.paths) == 0 || slices.Contains(f.from.input.paths, "-") {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	const patience = 2 * time.Second
	ctx, cancel := context.WithTimeout(c.Context(), patience)
	defer cancel()
	snapshot, err := readQuickly(ctx, f.from.input)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, row := range namesIn(snapshot, kind) {
		if printable.IsPlain(row) && !slices.Contains(args[1:], row) {
			names = append(names, row)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func kindNames() []string {
	var names []string
	for _, kind := range listing.Kinds() {
		names = append(names, string(kind))
	}
	return names
}

func kindNamed(name string) (listing.Kind, error) {
	for _, kind := range listing.Kinds() {
		if name = strings.ToLower(name); name == string(kind) || name+"s" == string(kind) {
			return kind, nil
		}
	}
	return "", fmt.Errorf("there is no kind %q: use one of %s", name, strings.Join(kindNames(), ", "))
}

func runGet(c *cobra.Command, flags getFlags, args []string, std streams) error {
	kind, err := flags.parse(c, args)
	if err != nil {
		return err
	}
	from, err := flags.from.open(c, std)
	if err != nil {
		return err
	}
	style := listing.Style{Format: listing.Format(flags.output), NoHeaders: flags.noHeaders}
	if flags.watch {
		watch := rowWatch{from: from, kind: kind, filter: flags.filter, style: style, out: std.out, err: std.err, wait: sleep}
		return watch.run(c.Context(), c)
	}
	rows, err := readRows(c.Context(), c, flags.filter, kind, from)
	if err != nil {
		return err
	}
	isTable := style.Format == "" || style.Format == listing.Wide
	if len(rows) == 0 && isTable {
		_, _ = fmt.Fprintln(std.err, noRows(flags.filter))
	}
	if len(rows) > 0 || !isTable {
		if err := listing.Print(std.out, kind, rows, style); err != nil {
			return fmt.Errorf("write the list: %w", err)
		}
	}
	return from.problem()
}

func noRows(filter listing.Filter) string {
	if filter.Namespace != "" {
		return "No resources found in " + printable.Line(filter.Namespace) + " namespace."
	}
	return "No resources found."
}

func (f *getFlags) parse(c *cobra.Command, args []string) (listing.Kind, error) {
	if len(args) == 0 {
		return "", usage(c, "name what to list: one of "+strings.Join(kindNames(), ", "))
	}
	kind, err := kindNamed(args[0])
	if err != nil {
		return "", usage(c, err.Error())
	}
	f.filter.Names = args[1:]
	if f.selector != "" {
		if f.filter.Selector, err = labels.Parse(f.selector); err != nil {
			return "", usage(c, "--selector: "+err.Error())
		}
	}
	if f.output != "" && !slices.Contains(listing.Formats(), listing.Format(f.output)) {
		return "", usage(c, fmt.Sprintf("--output %s: there is no such format; use wide, yaml, json or name", f.output))
	}
	if f.filter.State != "" && !slices.Contains(listing.States(), f.filter.State) && !slices.Contains(listing.States(), strings.ReplaceAll(f.filter.State, " ", "-")) {
		return "", usage(c, fmt.Sprintf("--state %s: there is no such state; use one of %s", f.filter.State, strings.Join(listing.States(), ", ")))
	}
	if err := f.filter.Has(kind); err != nil {
		return "", usage(c, err.Error())
	}
	return kind, nil
}

func readRows(ctx context.Context, c *cobra.Command, filter listing.Filter, kind listing.Kind, from rowSource) ([]listing.Item, error) {
	list, err := from.list(ctx)
	if err != nil {
		return nil, err
	}
	if err := list.Check(kind, filter); err != nil {
		return nil, usage(c, err.Error())
	}
	rows, missing := filter.Select(list.Items(kind))
	if len(missing) > 0 {
		return nil, exit{code: exitUsage, text: fmt.Sprintf("no %s is named %s; without a name, 'kratix-schedule get %s' lists all",
			strings.TrimSuffix(string(kind), "s"), strings.Join(missing, ", "), kind)}
	}
	return rows, nil
}

// With --watch, the delay between reads is watchDelay after a change, and grows to maxWatchDelay
// without changes. watchFailures failures in a row end the command.
const (
	watchDelay    = 2 * time.Second
	maxWatchDelay = 30 * time.Second
	watchFailures = 10
)

type rowWatch struct {
	from     rowSource
	kind     listing.Kind
	filter   listing.Filter
	style    listing.Style
	out, err io.Writer
	wait     func(ctx context.Context, delay time.Duration)
}

func (w *rowWatch) run(ctx context.Context, c *cobra.Command) error {
	watcher := listing.NewWatcher(w.kind, w.style)
	filter := w.filter
	for delay, failures := watchDelay, 0; ctx.Err() == nil; w.wait(ctx, delay) {
		rows, err := readRows(ctx, c, filter, w.kind, w.from)
		changed := 0
		var wrong exit
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.As(err, &wrong) && wrong.code == exitUsage:
			return err
		case err != nil:
			if failures++; failures == watchFailures {
				return fmt.Errorf("%d tries in a row failed; the last one: %w", failures, err)
			}
			_, _ = fmt.Fprintln(w.err, "kratix-schedule: "+printable.Lines(err.Error()))
		default:
			failures = 0
			if changed, err = watcher.Print(w.out, rows); err != nil {
				return fmt.Errorf("write the list: %w", err)
			}
			filter = filter.Existing(w.filter.Names)
		}
		if delay = min(delay*2, maxWatchDelay); changed > 0 {
			delay = watchDelay
		}
	}
	return nil
}

func sleep(ctx context.Context, delay time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(delay):
	}
}
