package kustomize

import (
	"cmp"

	"sigs.k8s.io/kustomize/kyaml/resid"
)

// ID is the identity of an object as kustomize compares it: two objects with
// equal IDs cannot be in one build.
type ID struct {
	APIVersion, Kind, Name string
	// Namespace is the effective one: an unset namespace is "default", and a
	// kind that kustomize knows to be cluster-scoped has one of its own.
	Namespace string
}

// NewID returns the ID of an object in a namespace; of one that lives outside of
// them when it is empty.
func NewID(apiVersion, kind, namespace, name string) ID {
	return ID{APIVersion: apiVersion, Kind: kind, Name: name, Namespace: cmp.Or(namespace, resid.TotallyNotANamespace)}
}

// String names the object as a person would: "ConfigMap default/settings".
func (id ID) String() string {
	if id.IsClusterScoped() {
		return id.Kind + " " + id.Name
	}
	return id.Kind + " " + id.Namespace + "/" + id.Name
}

// IsClusterScoped reports whether kustomize knows the object's kind to live
// outside namespaces.
func (id ID) IsClusterScoped() bool { return id.Namespace == resid.TotallyNotANamespace }

// Scope returns the namespace; nothing for what lives outside of them.
func (id ID) Scope() string {
	if id.IsClusterScoped() {
		return ""
	}
	return id.Namespace
}

// Compare orders IDs.
func Compare(a, b ID) int {
	return cmp.Or(
		cmp.Compare(a.APIVersion, b.APIVersion), cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Scope(), b.Scope()), cmp.Compare(a.Name, b.Name),
	)
}
