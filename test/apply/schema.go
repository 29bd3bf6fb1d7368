package apply

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
)

// Schema is a part of an OpenAPI schema, as decoded from JSON.
type Schema map[string]any

// Kind is a kind whose objects can be applied.
type Kind struct {
	schema.GroupVersionKind
	Namespaced bool
	// Schema is the schema of the whole object. Type is the name of the schema in the OpenAPI
	// document.
	Schema Schema
	Type   string
	// Builtin is false for the kinds of custom resources.
	Builtin bool
}

// Schemas contains the schemas of an API server.
type Schemas struct {
	components map[string]Schema
	// Kinds are the kinds whose objects can be applied, sorted.
	Kinds []Kind
}

// NewSchemas reads the kinds that the API server serves, and their schemas.
func NewSchemas(j *Judge) (*Schemas, error) {
	client, err := discovery.NewDiscoveryClientForConfig(j.Config)
	if err != nil {
		return nil, err
	}
	paths, err := client.OpenAPIV3().Paths()
	if err != nil {
		return nil, err
	}
	s := &Schemas{components: map[string]Schema{}}
	byKind := map[schema.GroupVersionKind]string{}
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		content, err := paths[path].Schema("application/json")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		var document struct {
			Components struct{ Schemas map[string]Schema }
		}
		if err := json.Unmarshal(content, &document); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for name, component := range document.Components.Schemas {
			s.components[name] = component
			for _, at := range list(component["x-kubernetes-group-version-kind"]) {
				group := object(at)
				byKind[schema.GroupVersionKind{Group: text(group["group"]), Version: text(group["version"]), Kind: text(group["kind"])}] = name
			}
		}
	}
	return s, s.serve(client, byKind)
}

func (s *Schemas) serve(client *discovery.DiscoveryClient, byKind map[schema.GroupVersionKind]string) error {
	_, lists, err := client.ServerGroupsAndResources()
	if err != nil {
		return err
	}
	for _, served := range lists {
		version, err := schema.ParseGroupVersion(served.GroupVersion)
		if err != nil {
			return err
		}
		for _, resource := range served.APIResources {
			kind := version.WithKind(resource.Kind)
			if strings.Contains(resource.Name, "/") || !slices.Contains(resource.Verbs, "create") || !slices.Contains(resource.Verbs, "patch") || byKind[kind] == "" {
				continue
			}
			custom := strings.HasSuffix(version.Group, "example.org") || strings.HasSuffix(version.Group, ".elastic.co")
			s.Kinds = append(s.Kinds, Kind{GroupVersionKind: kind, Namespaced: resource.Namespaced, Schema: s.components[byKind[kind]], Type: byKind[kind], Builtin: !custom})
		}
	}
	slices.SortFunc(s.Kinds, func(a, b Kind) int { return strings.Compare(a.String(), b.String()) })
	return nil
}

// Resolve returns the target of a schema that is a reference or has an allOf with one reference,
// and other schemas unchanged.
func (s *Schemas) Resolve(of Schema) Schema {
	of, _ = s.resolve(of)
	return of
}

func (s *Schemas) resolve(of Schema) (Schema, string) {
	typ := ""
	for {
		if name := text(of["$ref"]); name != "" {
			typ = strings.TrimPrefix(name, "#/components/schemas/")
			of = s.components[typ]
			continue
		}
		all := list(of["allOf"])
		if len(all) != 1 || text(object(all[0])["$ref"]) == "" {
			return of, typ
		}
		of = object(all[0])
	}
}

// Properties returns the fields in the schema of an object.
func (of Schema) Properties() map[string]any { return object(of["properties"]) }

// Required reports whether a field is required.
func (of Schema) Required(field string) bool {
	return slices.Contains(list(of["required"]), any(field))
}

// Type returns a type such as "object", or "" if the schema does not name a single type.
func (of Schema) Type() string { return text(of["type"]) }

func object(v any) Schema {
	switch m := v.(type) {
	case map[string]any:
		return m
	case Schema:
		return m
	}
	return nil
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func text(v any) string {
	s, _ := v.(string)
	return s
}
