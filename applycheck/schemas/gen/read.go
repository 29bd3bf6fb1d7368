package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	apidiscovery "k8s.io/api/apidiscovery/v2"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/kube-openapi/pkg/schemaconv"
	"k8s.io/kube-openapi/pkg/spec3"
	"k8s.io/kube-openapi/pkg/validation/spec"

	"github.com/kratix-schedule/kratix-schedule/applycheck/schemas"
)

func read(version, dir string) (schemas.Source, error) {
	models, err := readModels(filepath.Join(dir, "api/openapi-spec/v3"))
	if err != nil {
		return schemas.Source{}, err
	}
	// As in the API server, unknown fields are not preserved.
	types, err := schemaconv.ToSchemaFromOpenAPI(models, false)
	if err != nil {
		return schemas.Source{}, err
	}
	kinds, err := readKinds(filepath.Join(dir, "api/discovery"), typesOf(models))
	if err != nil {
		return schemas.Source{}, err
	}
	enums, err := readEnums(filepath.Join(dir, "pkg/generated/openapi/zz_generated.openapi.go"), models)
	if err != nil {
		return schemas.Source{}, err
	}
	return schemas.Source{Version: version, Types: types.Types, Kinds: kinds, Enums: enums}, nil
}

func readModels(dir string) (map[string]*spec.Schema, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	models := map[string]*spec.Schema{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var document spec3.OpenAPI
		if err := json.Unmarshal(text, &document); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(file), err)
		}
		if document.Components == nil {
			continue
		}
		for name, model := range document.Components.Schemas {
			models[name] = model
		}
	}
	if len(models) == 0 {
		return nil, errors.New("there are no OpenAPI documents")
	}
	return models, nil
}

func typesOf(models map[string]*spec.Schema) map[schema.GroupVersionKind]string {
	types := map[schema.GroupVersionKind]string{}
	for name, model := range models {
		kinds, _ := model.Extensions["x-kubernetes-group-version-kind"].([]any)
		for _, kind := range kinds {
			fields, _ := kind.(map[string]any)
			group, _ := fields["group"].(string)
			version, _ := fields["version"].(string)
			kindName, _ := fields["kind"].(string)
			types[schema.GroupVersionKind{Group: group, Version: version, Kind: kindName}] = name
		}
	}
	return types
}

func readKinds(dir string, types map[schema.GroupVersionKind]string) ([]schemas.Kind, error) {
	kinds, err := readCore(filepath.Join(dir, "api__v1.json"), types)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(dir, "aggregated_v2.json"))
	if err != nil {
		return nil, err
	}
	var list apidiscovery.APIGroupDiscoveryList
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, err
	}
	for _, group := range list.Items {
		for _, version := range group.Versions {
			for _, resource := range version.Resources {
				kinds = append(kinds, schemas.Kind{
					GroupVersionKind: schema.GroupVersionKind{Group: group.Name, Version: version.Version, Kind: resource.ResponseKind.Kind},
					Namespaced:       resource.Scope == apidiscovery.ScopeNamespace,
					Unpatchable:      !slices.Contains(resource.Verbs, "patch"),
				})
			}
		}
	}
	for i := range kinds {
		typ, known := types[kinds[i].GroupVersionKind]
		if !known {
			return nil, fmt.Errorf("%s has no schema", kinds[i])
		}
		kinds[i].Type = typ
	}
	return kinds, nil
}

func readCore(file string, types map[schema.GroupVersionKind]string) ([]schemas.Kind, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var list struct {
		Resources []struct {
			Name, Kind string
			Namespaced bool
			Verbs      []string
		}
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, err
	}
	var kinds []schemas.Kind
	for _, resource := range list.Resources {
		gvk := schema.GroupVersionKind{Version: "v1", Kind: resource.Kind}
		if strings.Contains(resource.Name, "/") || types[gvk] == "" {
			continue // a subresource, or a resource without a type
		}
		kinds = append(kinds, schemas.Kind{
			GroupVersionKind: gvk, Namespaced: resource.Namespaced, Unpatchable: !slices.Contains(resource.Verbs, "patch"),
		})
	}
	return kinds, nil
}
