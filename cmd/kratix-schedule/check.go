package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/policy"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/source/dir"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

type checkFlags struct {
	inputFlags
	pipelines []string
	promise   string
	tree      treeFlags
}

func (f *checkFlags) add(c *cobra.Command) {
	f.inputFlags.add(c)
	c.Flags().StringArrayVar(&f.pipelines, "pipeline", nil, "directory with the input/, output/ and metadata/ of a pipeline; may be repeated")
	c.Flags().StringVar(&f.promise, "promise", "", "the Promise of the pipelines: its YAML file, or its name")
	f.tree.add(c)
	configurable(c, "filename", "recursive", "exclude", "pipeline", "promise")
	pathFlags(c, "filename", "pipeline", "promise")
}

func (f *checkFlags) source(c *cobra.Command, args []string, std streams) (*checkSource, error) {
	paths := append(append([]string{}, f.paths...), args...)
	if len(paths) == 0 && len(f.pipelines) == 0 && !f.tree.given() {
		return nil, usage(c, "nothing to read: name a file or directory, or give --pipeline, --tree or --repo")
	}
	stores, err := f.tree.stores(c)
	if err != nil {
		return nil, err
	}
	s := &checkSource{std: std, stores: stores, notices: std.err, locator: newLocator(), pipelines: f.pipelines, promise: f.promise}
	if isFile(f.promise) && !slices.Contains(paths, f.promise) {
		paths = append(paths, f.promise)
	}
	exclude, err := f.exclusions(c)
	if err != nil {
		return nil, err
	}
	s.files = &dir.Source{Paths: paths, Recursive: f.recursive, Exclude: exclude, Stdin: std.in}
	return s, nil
}

// checkSource is the source of a check: its files, pipelines, Promises and trees.
type checkSource struct {
	files     *dir.Source
	pipelines []string
	promise   string
	stores    *checkStores
	std       streams
	notices   io.Writer
	unpacked  unpackedFlag

	*locator
	read          reading
	pipelineFiles int
	comments      []policy.Comment
}

var _ source.Source = (*checkSource)(nil)

func (s *checkSource) Snapshot(ctx context.Context) (source.Snapshot, error) {
	snapshot, err := s.files.Snapshot(ctx)
	if err != nil {
		return snapshot, err
	}
	snapshot.Findings = onceEach(slices.Clone(snapshot.Findings))
	snapshot.Unseen = false // a check places nothing, so nothing can be placed twice
	if err := s.addPipelines(&snapshot); err != nil {
		return snapshot, err
	}
	if err := addPromises(&snapshot); err != nil {
		return snapshot, err
	}
	if err := s.stores.addPlacements(&snapshot); err != nil {
		return snapshot, err
	}
	s.read.Destinations = len(snapshot.Destinations)
	err = s.stores.addTree(ctx, &snapshot, s.locator, s.std, s.notices)
	if failed := storeFailure(err); failed != nil {
		return source.Snapshot{Findings: failed}, nil // without the tree, nothing can be checked
	}
	if err != nil {
		return snapshot, err
	}
	s.count(snapshot)
	s.assume(&snapshot)
	s.noticeNoWork(snapshot)
	snapshot = reconcile.Within(snapshot, int64(s.unpacked.most))
	s.add(snapshot)
	for _, file := range snapshot.Marked {
		s.comments = append(s.comments, policy.Comments("", file.Name, file.Content)...)
	}
	claimObjects(s.comments, snapshot)
	s.comments = append(s.comments, s.stores.comments()...)
	comments, objects := unpack(snapshot.Works)
	s.comments = append(s.comments, comments...)
	s.read.Objects += objects
	return snapshot, nil
}

// storeFailure returns the finding about an error of a store.
func storeFailure(err error) []finding.Finding {
	var failed *statestore.Error
	if !errors.As(err, &failed) {
		return nil
	}
	return []finding.Finding{{Rule: finding.StoreFailed(), Message: failed.Error(), Fix: failed.Fix}}
}

func (s *checkSource) Changes(ctx context.Context) (<-chan struct{}, error) {
	return s.files.Changes(ctx)
}

// addPromises adds the Works with the dependencies of Promises, if they are missing.
func addPromises(snapshot *source.Snapshot) error {
	for _, promise := range snapshot.Promises {
		takesPart(snapshot, promise)
		if slices.ContainsFunc(snapshot.Works, func(w *kratix.Work) bool {
			return w.Spec.PromiseName == promise.Name && w.Labels[kratix.WorkTypeLabel] == kratix.StaticDependencyWorkType
		}) {
			continue
		}
		work, err := promise.DependencyWork()
		if err != nil {
			return err
		}
		if work != nil {
			snapshot.Add(work, snapshot.Origins.Of(promise))
		}
	}
	return nil
}

func takesPart(snapshot *source.Snapshot, object kratix.Object) {
	name := kratix.Describe(object)
	snapshot.Findings = slices.DeleteFunc(slices.Clone(snapshot.Findings), func(f finding.Finding) bool {
		return f.Rule == finding.IgnoredObject() && f.Place.Object == name
	})
}

func (s *checkSource) assume(snapshot *source.Snapshot) {
	if len(snapshot.Destinations) > 0 {
		return
	}
	assumed := scheduler.Assume(snapshot.Works)
	if len(assumed) == 0 {
		return
	}
	snapshot.Destinations = assumed
	addStore(snapshot, assumed[0].Spec.StateStoreRef.Name)
	_, _ = fmt.Fprintln(s.notices, "kratix-schedule: there is no Destination in the input; the Works are checked as if one Destination took them all")
}

func (s *checkSource) noticeNoWork(snapshot source.Snapshot) {
	if len(snapshot.Works) > 0 || s.read.isEmpty() || s.stores.tree.given() || finding.Worst(snapshot.Findings) == finding.Error {
		return
	}
	_, _ = fmt.Fprintln(s.notices, "kratix-schedule: there is no Work in the input, so nothing is placed")
}

func isPipeline(path string) bool {
	return isDir(filepath.Join(path, "output")) && (isDir(filepath.Join(path, "input")) || isDir(filepath.Join(path, "metadata")))
}

func addStore(snapshot *source.Snapshot, name string) {
	if slices.ContainsFunc(snapshot.GitStateStores, func(s *kratix.GitStateStore) bool { return s.Name == name }) {
		return
	}
	store := &kratix.GitStateStore{}
	store.Name = name
	snapshot.GitStateStores = append(snapshot.GitStateStores, store)
}

func slashed(parts ...string) string { return filepath.ToSlash(filepath.Join(parts...)) }
