package testkit

import "github.com/kratix-schedule/kratix-schedule/internal/kratix"

// DestinationOption is a change of a new Destination.
type DestinationOption func(*kratix.Destination)

// Destination returns a Destination on the GitStateStore default. Its path is its name.
func Destination(name string, options ...DestinationOption) *kratix.Destination {
	d := &kratix.Destination{}
	d.Name, d.Spec.Path = name, name
	OnStore("default")(d)
	for _, change := range options {
		change(d)
	}
	return d
}

// AtPath sets the path in the state store.
func AtPath(path string) DestinationOption {
	return func(d *kratix.Destination) { d.Spec.Path = path }
}

// InMode sets the filepath mode.
func InMode(mode string) DestinationOption {
	return func(d *kratix.Destination) { d.Spec.Filepath.Mode = mode }
}

// OnStore sets the GitStateStore of the Destination.
func OnStore(name string) DestinationOption {
	return func(d *kratix.Destination) {
		d.Spec.StateStoreRef = &kratix.StateStoreReference{Kind: kratix.GitStateStoreKind, Name: name}
	}
}

// Labelled sets the labels.
func Labelled(labels map[string]string) DestinationOption {
	return func(d *kratix.Destination) { d.Labels = labels }
}

// GitStore returns a GitStateStore for a repository.
func GitStore(name, url string) *kratix.GitStateStore {
	s := &kratix.GitStateStore{}
	s.Name, s.Spec.URL = name, url
	return s
}
