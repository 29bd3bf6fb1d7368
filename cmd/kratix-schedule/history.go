package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/history"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/listing"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/open"
)

type historyFlags struct {
	input       inputFlags
	kube        bool
	api         apiFlags
	store       storeFlag
	output      string
	diff, files bool
	stat        bool
	query       history.Query
}

func historyCommand(std streams) *cobra.Command {
	var flags historyFlags
	command := &cobra.Command{
		Use:   "history WORK [--diff [A [B]]]",
		Short: "Show the revisions of a state store that changed a Work",
		Long: `Show the revisions of state stores that changed a Work, the newest first. Nothing is
written. The stores are those of the input (-f), of a cluster (--kube, which reads
their Secrets), or one without its object (--store).

In a git repository the trailers of commits name Works; commits of other programs
are counted. In a bucket the kept versions are the history, if versioning is on.

With --diff, show how the files of the Work differ between revisions A and B; without
B up to the newest revision, and without A what the newest revision of the Work
changed. Beginnings of revisions are enough. Values of Secrets are not shown.

Exit status: 0 there is a history, 2 wrong usage or no such Work or revision, 3 a
store cannot be read.`,
		Example: `  kratix-schedule run -f testdata/elastic-cloud --once; kratix-schedule history redis-cache-default-instance-0d2c4 -f testdata/elastic-cloud
  kratix-schedule run -f testdata/elastic-cloud --once; kratix-schedule history default/redis-cache-default-instance-0d2c4 -f testdata/elastic-cloud --diff`,
		ValidArgsFunction: flags.complete,
		RunE:              func(c *cobra.Command, args []string) error { return runHistory(c, flags, args, std) },
	}
	flags.add(command)
	f := command.Flags()
	f.BoolVar(&flags.diff, "diff", false, "show how the files differ between two revisions")
	f.BoolVar(&flags.stat, "stat", false, "with --diff, show how many lines change in which file, not the lines")
	return command
}

// add adds the flags that the histories of a Work and of a Rollout share.
func (f *historyFlags) add(c *cobra.Command) {
	f.input.add(c)
	pathFlags(c, "filename")
	set := c.Flags()
	set.BoolVar(&f.kube, "kube", false, "read the state stores and their Secrets from the Kubernetes API")
	f.api.add(c)
	f.store.add(c)
	set.StringVarP(&f.output, "output", "o", "", "format: wide, yaml or json; by default a table")
	set.BoolVar(&f.files, "files", false, "show the files that each revision changed")
	set.StringVar(&f.query.Destination, "destination", "", "only revisions that changed the Work on this Destination")
	set.IntVar(&f.query.Limit, "limit", history.DefaultLimit, fmt.Sprintf("show at most this number of revisions of a store, up to %d", history.MaxLimit))
	set.IntVar(&f.query.Depth, "depth", history.DefaultDepth, fmt.Sprintf("search at most this number of revisions of a store, up to %d", history.MaxDepth))
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"wide", "yaml", "json"}, cobra.ShellCompDirectiveNoFileComp)) // the flag exists
}

func (f *historyFlags) complete(c *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names := getFlags{from: fromFlags{input: f.input}}
	return names.complete(c, []string{string(listing.Placements)}, prefix)
}

func runHistory(c *cobra.Command, flags historyFlags, args []string, std streams) error {
	if err := flags.check(c, args); err != nil {
		return err
	}
	stores, err := flags.stores(c, std)
	if err != nil {
		return err
	}
	flags.query.Work = args[0]
	stores, read, failures := readHistories(c.Context(), stores, flags)
	isFound := hasEntries(read)
	switch {
	case !isFound && len(failures) > 0:
		return failures[0]
	case flags.diff:
		return showDiff(c, flags, stores, read, args, std)
	case !isFound:
		return exit{code: exitUsage, text: noHistory(flags.query, read)}
	}
	if err := writeHistories(std.out, flags, args[0], read); err != nil {
		return err
	}
	for _, one := range read {
		for _, warning := range one.Warnings {
			warn(std, "%s: %s", one.Store, warning)
		}
	}
	if len(failures) > 0 {
		return failures[0] // the failed store may have more revisions
	}
	return nil
}

func (f *historyFlags) check(c *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return usage(c, "name the Work, such as default/db; 'kratix-schedule get placements' lists them")
	case len(args) > 1 && !f.diff:
		return usage(c, "unexpected argument "+args[1]+": revisions are for --diff")
	case len(args) > 3:
		return usage(c, "unexpected argument "+args[3]+": --diff takes two revisions")
	}
	if err := f.checkSource(c); err != nil {
		return err
	}
	return f.checkFlags(c)
}

func (f *historyFlags) checkSource(c *cobra.Command) error {
	given := 0
	for _, is := range []bool{len(f.input.paths) > 0, f.kube, f.store.url != ""} {
		if is {
			given++
		}
	}
	switch {
	case given == 0:
		return usage(c, "no state store to read: name files with -f, a cluster with --kube, or a repository or bucket with --store")
	case given > 1:
		return usage(c, "-f, --kube and --store exclude each other")
	}
	return nil
}

func (f *historyFlags) checkFlags(c *cobra.Command) error {
	switch {
	case f.stat && !f.diff:
		return usage(c, "--stat is for --diff")
	case f.files && f.diff:
		return usage(c, "--files and --diff exclude each other")
	case f.query.Limit < 1 || f.query.Limit > history.MaxLimit:
		return usage(c, fmt.Sprintf("--limit must be from 1 to %d", history.MaxLimit))
	case f.query.Depth < 1 || f.query.Depth > history.MaxDepth:
		return usage(c, fmt.Sprintf("--depth must be from 1 to %d", history.MaxDepth))
	case f.output != "" && !slices.Contains([]string{"wide", "yaml", "json"}, f.output):
		return usage(c, fmt.Sprintf("--output %s: there is no such format; use wide, yaml or json", f.output))
	}
	return nil
}

type namedStore struct {
	name   string
	store  statestore.Store
	fix    func(error) error
	failed error
}

func (f *historyFlags) stores(c *cobra.Command, std streams) ([]namedStore, error) {
	if f.store.url != "" {
		store, row, err := f.store.open(c)
		if err != nil {
			return nil, err
		}
		return []namedStore{{name: row.URL, store: store, fix: f.store.withFix}}, nil
	}
	snapshot, err := f.snapshot(c, std)
	if err != nil {
		return nil, err
	}
	for _, invalid := range snapshot.Findings {
		if invalid.Rule.Severity == finding.Error {
			warn(std, "%s: %s", invalid.Place, invalid.Message)
		}
	}
	opener := storesOf(open.Commits{}, branchFlags{})
	var stores []namedStore
	for _, described := range describedStores(snapshot) {
		store, err := opener.Open(described.ref, described.spec, described.secret)
		one := namedStore{name: described.ref.String(), store: store, fix: func(err error) error { return describedFailure(described.ref, err) }}
		if err != nil {
			one.failed = one.fix(err)
		}
		stores = append(stores, one)
	}
	if len(stores) == 0 {
		return nil, usage(c, "the input has no state store: name its file with -f, or a repository or bucket with --store")
	}
	return stores, nil
}

func describedFailure(ref kratix.StateStoreReference, err error) error {
	problem := reconcile.Failure(finding.Place{Object: ref.String()}, err)
	return exit{code: exitFailure, text: problem.Message + "\nfix: " + problem.Advice()}
}

type storeHistory struct {
	Store string `json:"store"`
	history.History
}

// readHistories returns the stores that can be read, their histories, and the failures of the other
// stores.
func readHistories(ctx context.Context, stores []namedStore, flags historyFlags) (readable []namedStore, read []storeHistory, failures []error) {
	for _, one := range stores {
		if one.failed != nil {
			failures = append(failures, one.failed)
			continue
		}
		found, err := history.Of(ctx, one.store, flags.query)
		if err == nil && flags.files {
			err = addFiles(ctx, one.store, flags.query.Work, found.Entries)
		}
		if err != nil {
			failures = append(failures, historyError(one, err))
			continue
		}
		readable, read = append(readable, one), append(read, storeHistory{one.name, found})
	}
	return readable, read, failures
}

func addFiles(ctx context.Context, store statestore.Store, work string, entries []history.Entry) error {
	for i := range entries {
		entry := &entries[i]
		if len(entry.Files) > 0 {
			continue
		}
		files, err := history.Files(ctx, store, statestore.Revision(entry.Parent), statestore.Revision(entry.Revision), history.Selection{Work: work})
		if errors.Is(err, statestore.ErrUnknownRevision) {
			continue
		}
		if err != nil {
			return err
		}
		for _, file := range files {
			entry.Files = append(entry.Files, file.Path.String())
		}
	}
	return nil
}

func historyError(of namedStore, err error) error {
	var failed *statestore.Error
	switch {
	case history.IsAmbiguous(err):
		return exit{code: exitUsage, text: err.Error()}
	case errors.As(err, &failed):
		return of.fix(err)
	}
	return fmt.Errorf("%s: %w", of.name, err)
}

func noHistory(query history.Query, read []storeHistory) string {
	searched, foreign, isMore := 0, 0, false
	var names []string
	for _, one := range read {
		searched, foreign, isMore = searched+one.Searched, foreign+one.Foreign, isMore || one.More
		names = append(names, one.Store)
	}
	stores, work := strings.Join(names, ", "), query.Work
	if query.Destination != "" {
		work += " on " + query.Destination
	}
	if searched == 0 {
		return "there are no revisions in " + stores + ": no such repository or bucket, or it was never written"
	}
	text := fmt.Sprintf("no revision of %s changed a Work named %s", stores, work)
	if isMore {
		text = fmt.Sprintf("none of the newest %d revisions of %s changed a Work named %s", searched, stores, work)
	}
	if foreign > 0 {
		text += fmt.Sprintf("; %d of %s are of other programs and name no Works", foreign, countOf(searched, "revision"))
	}
	if isMore {
		return text + "; search more with --depth"
	}
	return text + "; 'kratix-schedule get placements' lists the Works and their states"
}

func revisionsOf(ctx context.Context, flags historyFlags, stores []namedStore, read []storeHistory, named []string) (of namedStore, from, to statestore.Revision, err error) {
	if len(named) == 0 {
		for i, one := range read {
			if len(one.Entries) > 0 {
				newest := one.Entries[0]
				return stores[i], statestore.Revision(newest.Parent), statestore.Revision(newest.Revision), nil
			}
		}
		return of, "", "", exit{code: exitUsage, text: noHistory(flags.query, read)}
	}
	var failed error
	for _, one := range stores {
		log, err := statestore.ReadLog(ctx, one.store, history.MaxDepth)
		if err != nil {
			return of, "", "", historyError(one, err)
		}
		if from, err = resolve(log, named[0]); err == nil && len(log.Entries) > 0 {
			to = log.Entries[0].Revision
			if len(named) > 1 {
				to, err = resolve(log, named[1])
			}
			if err == nil {
				return one, from, to, nil
			}
		}
		failed = err
	}
	return of, "", "", failed
}

const shortestRevision = 4

func resolve(log statestore.Log, text string) (statestore.Revision, error) {
	var found []statestore.Revision
	for _, entry := range log.Entries {
		if entry.Revision == statestore.Revision(text) {
			return entry.Revision, nil
		}
		if len(text) >= shortestRevision && strings.HasPrefix(string(entry.Revision), text) {
			found = append(found, entry.Revision)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return "", exit{code: exitUsage, text: fmt.Sprintf("several revisions begin with %s: write more of it", text)}
	}
	among := ""
	if log.More {
		among = fmt.Sprintf(" among the newest %d", len(log.Entries))
	}
	return "", exit{code: exitUsage, text: fmt.Sprintf("there is no revision %s%s; write at least %d characters of one that history prints", text, among, shortestRevision)}
}

// shortRevision returns a revision, shortened to 12 characters if it is as long as a commit hash.
func shortRevision(revision string) string {
	const digits, short = 40, 12
	if len(revision) == digits {
		return revision[:short]
	}
	return printable.Line(revision)
}
