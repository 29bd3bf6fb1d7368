package testkit

import (
	"maps"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// Option is a change of a new Work.
type Option func(*kratix.Work)

// Request returns a Work of a request for the Promise redis, with one group without files.
func Request(name string, options ...Option) *kratix.Work {
	w := kratix.NewWork()
	w.Name, w.Namespace = name, "default"
	w.Spec.PromiseName, w.Spec.ResourceName = "redis", name
	w.Spec.WorkloadGroups = []kratix.WorkloadGroup{Group(kratix.DefaultDirectory)}
	for _, change := range options {
		change(w)
	}
	return w
}

// Group returns a group without files.
func Group(directory string, selectors ...kratix.Selector) kratix.WorkloadGroup {
	return kratix.WorkloadGroup{ID: kratix.GroupID(directory), Directory: directory, DestinationSelectors: selectors}
}

// File returns a file of a group.
func File(name, content string) kratix.Workload {
	return kratix.Workload{Filepath: name, Content: kratix.Encode([]byte(content))}
}

// InNamespace sets the namespace.
func InNamespace(name string) Option {
	return func(w *kratix.Work) { w.Namespace = name }
}

// WithPipeline sets the label with the name of the pipeline. It does nothing if the name is empty.
func WithPipeline(name string) Option {
	return func(w *kratix.Work) {
		if name != "" {
			w.Labels = map[string]string{kratix.PipelineNameLabel: name}
		}
	}
}

// WithGroups replaces the groups.
func WithGroups(groups ...kratix.WorkloadGroup) Option {
	return func(w *kratix.Work) { w.Spec.WorkloadGroups = groups }
}

// WithSelector adds a selector of the Promise to the first group.
func WithSelector(labels map[string]string) Option {
	return func(w *kratix.Work) {
		group := &w.Spec.WorkloadGroups[0]
		group.DestinationSelectors = append(group.DestinationSelectors, kratix.Selector{MatchLabels: labels, Source: kratix.PromiseSource})
	}
}

// WithFile adds a file to the first group.
func WithFile(name, content string) Option {
	return func(w *kratix.Work) {
		group := &w.Spec.WorkloadGroups[0]
		group.Workloads = append(group.Workloads, File(name, content))
	}
}

// WithFiles adds files to the first group, sorted by name.
func WithFiles(contents map[string]string) Option {
	return func(w *kratix.Work) {
		for _, name := range slices.Sorted(maps.Keys(contents)) {
			WithFile(name, contents[name])(w)
		}
	}
}

// WithConfigMaps adds a file NAME.yaml with a ConfigMap to the first group for each name.
func WithConfigMaps(names ...string) Option {
	return func(w *kratix.Work) {
		for _, name := range names {
			WithFile(name+".yaml", ConfigMaps(name))(w)
		}
	}
}

// Placement returns the WorkPlacement of a Work's first group on a Destination.
func Placement(w *kratix.Work, destination string) *kratix.WorkPlacement {
	return kratix.NewWorkPlacement(w, &w.Spec.WorkloadGroups[0], destination)
}
