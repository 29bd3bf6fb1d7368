package kustomize

import (
	"strings"

	"sigs.k8s.io/kustomize/api/resource"
)

// Definition is the kind that a CustomResourceDefinition defines.
type Definition struct {
	Group, Kind string
	// ClusterScoped means that objects of the kind have no namespace.
	ClusterScoped bool
}

func definitionIn(res *resource.Resource) *Definition {
	if res.GetKind() != "CustomResourceDefinition" {
		return nil
	}
	group, _ := res.GetString("spec.group")
	kind, _ := res.GetString("spec.names.kind")
	scope, _ := res.GetString("spec.scope")
	return &Definition{Group: group, Kind: kind, ClusterScoped: scope == "Cluster"}
}

// Group returns the API group of the object, or "" for the core group.
func (id ID) Group() string {
	group, _, grouped := strings.Cut(id.APIVersion, "/")
	if !grouped {
		return ""
	}
	return group
}
