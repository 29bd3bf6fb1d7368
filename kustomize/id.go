package kustomize

import (
	"cmp"

	"sigs.k8s.io/kustomize/kyaml/resid"
)

// ID identifies an object in a kustomize build: two objects with equal IDs cannot be in one build.
type ID struct {
	APIVersion, Kind, Name string
	// Namespace is the effective namespace: "default" if the object has none, and a special value
	// for cluster-scoped objects.
	Namespace string
}

// NewID returns the ID of an object in a namespace. An empty namespace means a cluster-scoped
// object.
func NewID(apiVersion, kind, namespace, name string) ID {
	return ID{APIVersion: apiVersion, Kind: kind, Name: name, Namespace: cmp.Or(namespace, resid.TotallyNotANamespace)}
}

// String returns the kind, namespace and name for messages, such as "ConfigMap default/settings".
func (id ID) String() string {
	if id.IsClusterScoped() {
		return id.Kind + " " + id.Name
	}
	return id.Kind + " " + id.Namespace + "/" + id.Name
}

// IsClusterScoped reports whether kustomize treats the object as cluster-scoped.
func (id ID) IsClusterScoped() bool { return id.Namespace == resid.TotallyNotANamespace }

// Scope returns the namespace, or "" for a cluster-scoped object.
func (id ID) Scope() string {
	if id.IsClusterScoped() {
		return ""
	}
	return id.Namespace
}

// Compare compares two IDs for sorting.
func Compare(a, b ID) int {
	return cmp.Or(
		cmp.Compare(a.APIVersion, b.APIVersion), cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Scope(), b.Scope()), cmp.Compare(a.Name, b.Name),
	)
}
