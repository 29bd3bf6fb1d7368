// Package pipeline converts the directories of a Kratix pipeline to the Work that Kratix's
// work-writer would create. It reads the given file system and does no other I/O.
package pipeline

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// Options are the inputs that are not in the directories.
type Options struct {
	// Promise is the name of the Promise.
	Promise string
	// Pipeline is the name of the pipeline. It may be empty.
	Pipeline string
	// Type is the work type: PromiseWorkType or ResourceWorkType.
	Type string
	// Selector is a destination selector of the Promise.
	Selector kratix.Selector
	// Annotations are the keys of the annotations that the Work takes from the object for which the
	// pipeline ran.
	Annotations []string
}

// ErrSuspended is the error if metadata/workflow-control.yaml suspends the pipeline or requests
// another run.
var ErrSuspended = errors.New("the pipeline has suspended its Work")

// ErrInput is the error of invalid content of the directories.
var ErrInput = errors.New("invalid pipeline directories")

const (
	requestFile = "input/object.yaml"
	outputDir   = "output"
	metadataDir = "metadata"
	controlFile = metadataDir + "/workflow-control.yaml"
)

// Read returns the Work of a pipeline. The default group, if it has files, is the last group.
func Read(dir fs.FS, options Options) (*kratix.Work, error) {
	if err := Control(dir); err != nil {
		return nil, err
	}
	work, err := head(dir, options)
	if err != nil {
		return nil, err
	}
	entries, err := readSelectors(dir)
	if err != nil {
		return nil, err
	}
	workloads, err := readOutput(dir)
	if err != nil {
		return nil, err
	}
	work.Spec.WorkloadGroups, err = groups(workloads, entries, options)
	return work, err
}

func head(dir fs.FS, options Options) (*kratix.Work, error) {
	work := kratix.NewWork()
	work.Spec.PromiseName = options.Promise
	work.Labels = map[string]string{kratix.PromiseNameLabel: options.Promise, kratix.WorkTypeLabel: options.Type}
	if options.Pipeline != "" {
		work.Labels[kratix.PipelineNameLabel] = options.Pipeline
	}
	var err error
	if work.Annotations, err = readAnnotations(dir, options.Annotations); err != nil {
		return nil, err
	}
	if options.Type == kratix.PromiseWorkType {
		work.Namespace = kratix.SystemNamespace
		work.Name = objectName(options.Promise, options.Pipeline)
		return work, nil
	}
	request, err := ReadRequest(dir)
	if err != nil {
		return nil, err
	}
	key := request.Key()
	key.Namespace = cmp.Or(key.Namespace, "default")
	work.Namespace = key.Namespace
	work.Spec.ResourceName = key.Name
	work.Labels[kratix.ResourceNameLabel] = key.Name
	work.Labels[kratix.ResourceNamespaceLabel] = key.Namespace
	work.Name = objectName(options.Promise, key.Name, key.Namespace, options.Pipeline)
	return work, nil
}

// Control returns an error that wraps ErrSuspended if metadata/workflow-control.yaml suspends the
// pipeline or requests another run.
func Control(dir fs.FS) error {
	content, err := fs.ReadFile(dir, controlFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", controlFile, err)
	}
	var control struct {
		Suspend    bool   `yaml:"suspend"`
		RetryAfter string `yaml:"retryAfter"`
	}
	switch err := yaml.Unmarshal(content, &control); {
	case err != nil:
		return fmt.Errorf("%w: %s: %s", ErrInput, controlFile, plainYAML(err))
	case control.Suspend:
		return fmt.Errorf("%w: %s has suspend: true", ErrSuspended, controlFile)
	case control.RetryAfter != "":
		return fmt.Errorf("%w: %s has retryAfter: %s", ErrSuspended, controlFile, control.RetryAfter)
	}
	return nil
}

func readOutput(dir fs.FS) ([]kratix.Workload, error) {
	if _, err := fs.Stat(dir, outputDir); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: the directory %s/ is missing", ErrInput, outputDir)
	}
	var workloads []kratix.Workload
	err := fs.WalkDir(dir, outputDir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if !entry.Type().IsRegular() && entry.Type() != fs.ModeSymlink {
			return fmt.Errorf("%w: %s is neither a file nor a directory", ErrInput, name)
		}
		content, err := fs.ReadFile(dir, name)
		if err != nil && entry.Type() == fs.ModeSymlink {
			return fmt.Errorf("%w: %s is a symlink that does not lead to a file in these directories: put the file itself there: %w", ErrInput, name, unwrapped(err))
		}
		if err != nil {
			return err
		}
		below := strings.TrimPrefix(name, outputDir+"/")
		workloads = append(workloads, kratix.Workload{Filepath: below, Content: kratix.Encode(content)})
		return nil
	})
	if errors.Is(err, ErrInput) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("read %s/: %w", outputDir, err)
	}
	return workloads, nil
}

// unwrapped returns the error without its path.
func unwrapped(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// groups returns a group for each directory in the metadata, and the default group with all other
// files.
func groups(workloads []kratix.Workload, entries []entry, options Options) ([]kratix.WorkloadGroup, error) {
	source := options.Type + "-workflow"
	var made []kratix.WorkloadGroup
	var base *entry
	for i, e := range entries {
		if e.Directory == kratix.DefaultDirectory {
			base = &entries[i]
			continue
		}
		inside := func(w kratix.Workload) bool { return strings.HasPrefix(w.Filepath, e.Directory+"/") }
		group := kratix.WorkloadGroup{
			ID: kratix.GroupID(e.Directory), Directory: e.Directory,
			DestinationSelectors: []kratix.Selector{e.selector(source)},
		}
		for _, w := range workloads {
			if inside(w) {
				group.Workloads = append(group.Workloads, w)
			}
		}
		if len(group.Workloads) == 0 {
			return nil, fmt.Errorf("%w: %s line %d: %s has no file", ErrInput, e.file, e.line, path.Join(outputDir, e.Directory))
		}
		workloads = slices.DeleteFunc(slices.Clone(workloads), inside)
		made = append(made, group)
	}
	if len(workloads) > 0 {
		made = append(made, defaultGroup(workloads, base, source, options.Selector))
	}
	return made, nil
}

func defaultGroup(workloads []kratix.Workload, base *entry, source string, promise kratix.Selector) kratix.WorkloadGroup {
	group := kratix.WorkloadGroup{
		ID: kratix.GroupID(kratix.DefaultDirectory), Directory: kratix.DefaultDirectory, Workloads: workloads,
	}
	if base != nil {
		group.DestinationSelectors = append(group.DestinationSelectors, base.selector(source))
	}
	if !promise.IsEmpty() {
		group.DestinationSelectors = append(group.DestinationSelectors, promise)
	}
	return group
}
