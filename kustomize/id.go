package kustomize

import (
	"cmp"

	"sigs.k8s.io/kustomize/kyaml/resid"
)

// ID is the identity of an object for kustomize: two objects with equal IDs cannot be in one build.
type ID struct {
	APIVersion, Kind, Name string
	// Namespace is the effective namespace: "default" if none is set, and a special value for a
	// kind that is cluster-scoped according to kustomize.
	Namespace string
}

// NewID returns the ID of an object in a namespace; an empty namespace means a
// cluster-scoped object.
func NewID(apiVersion, kind, namespace, name string) ID {
	return ID{APIVersion: apiVersion, Kind: kind, Name: name, Namespace: cmp.Or(namespace, resid.TotallyNotANamespace)}
}

// String returns the object's name for messages: "ConfigMap default/settings".
func (id ID) String() string {
	if id.IsClusterScoped() {
		return id.Kind + " " + id.Name
	}
	return id.Kind + " " + id.Namespace + "/" + id.Name
}

// IsClusterScoped reports whether the object's kind is cluster-scoped according to
// kustomize.
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
