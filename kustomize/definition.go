package kustomize

import (
	"strings"

	"sigs.k8s.io/kustomize/api/resource"
)

// Definition is what a CustomResourceDefinition says of a kind.
type Definition struct {
	Group, Kind string
	// ClusterScoped means that its objects live outside namespaces.
	ClusterScoped bool
}

func definitionIn(res *resource.Resource) *Definition {
	if res.GetKind() != "CustomResourceDefinition" {
		return nil
	}
	group, _ := res.GetString("spec.group") // what is missing is empty
	kind, _ := res.GetString("spec.names.kind")
	scope, _ := res.GetString("spec.scope")
	return &Definition{Group: group, Kind: kind, ClusterScoped: scope == "Cluster"}
}

// Group returns the group of the ID's apiVersion.
func (id ID) Group() string {
	group, _, grouped := strings.Cut(id.APIVersion, "/")
	if !grouped {
		return ""
	}
	return group
}
