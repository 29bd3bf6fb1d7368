package applycheck

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

func checkDefinition(o *objectFacts, content *kustomize.Content) []fault {
	spec := content.Fields["spec"]
	if hasVariable(spec) || hasVariable(o.name) {
		return nil
	}
	definition, err := decodeDefinition(content.Fields)
	if err != nil {
		if overflows(err) {
			return nil // the API server accepts numbers that are too large for their fields
		}
		return []fault{undecodable(o, lineOf(content, "spec"), err)}
	}
	var found field.ErrorList
	found = append(found, checkIdentity(definition)...)
	found = append(found, checkNames(&definition.Spec.Names)...)
	found = append(found, checkVersions(definition.Spec.Versions)...)
	for i, version := range definition.Spec.Versions {
		at := schemaPath(definition, i)
		s, _, err := structuralOf(definition, version.Name)
		switch {
		case errors.Is(err, errNoSchema):
			found = append(found, field.Required(at, "schemas are required"))
		case err != nil:
			found = append(found, field.Invalid(at, "", err.Error()))
		default:
			invalid := checkSchema(at, version.Schema.OpenAPIV3Schema)
			if len(invalid) == 0 {
				invalid = structuralErrors(at, s)
			}
			found = append(found, invalid...)
		}
	}
	var faults []fault
	for _, err := range found {
		if len(faults) < maxFaults {
			faults = append(faults, invalid(finding.InvalidField(), o, lineOf(content, err.Field), err))
		}
	}
	return faults
}

func checkIdentity(definition *apiextensionsv1.CustomResourceDefinition) field.ErrorList {
	var found field.ErrorList
	if want := definition.Spec.Names.Plural + "." + definition.Spec.Group; definition.Name != want && definition.Spec.Group != "" {
		found = append(found, field.Invalid(field.NewPath("metadata", "name"), definition.Name, `must be spec.names.plural+"."+spec.group`))
	}
	if conversion := definition.Spec.Conversion; conversion != nil && conversion.Strategy != "" && conversion.Strategy != "None" && conversion.Strategy != "Webhook" {
		found = append(found, field.NotSupported(field.NewPath("spec", "conversion", "strategy"), conversion.Strategy, []apiextensionsv1.ConversionStrategyType{"None", "Webhook"}))
	}
	return found
}

func overflows(err error) bool {
	var wrong *json.UnmarshalTypeError
	return errors.As(err, &wrong) && strings.HasPrefix(wrong.Value, "number ")
}

// undecodable returns the fault of an object that cannot be decoded to its Go type.
func undecodable(o *objectFacts, line int, err error) fault {
	f := newFault(finding.InvalidField(), o, line, "it cannot be decoded: "+err.Error())
	f.quoted = printable(fmt.Sprintf("%s dry-run failed: failed to convert new object (%s/%s; %s) to proper version: unable to convert unstructured object to %s: %s",
		o.flux(), o.namespace, o.name, o.GroupVersionKind, o.GroupVersionKind, err))
	return f
}

// schemaPath returns the path of a version's schema in the API server's messages. All versions have
// the same path if their schemas are equal.
func schemaPath(definition *apiextensionsv1.CustomResourceDefinition, i int) *field.Path {
	versions := definition.Spec.Versions
	if !slices.ContainsFunc(versions, func(v apiextensionsv1.CustomResourceDefinitionVersion) bool {
		return !reflect.DeepEqual(v.Schema, versions[0].Schema)
	}) {
		return field.NewPath("spec", "validation", "openAPIV3Schema")
	}
	return field.NewPath("spec", "versions").Index(i).Child("schema", "openAPIV3Schema")
}

func checkNames(names *apiextensionsv1.CustomResourceDefinitionNames) field.ErrorList {
	at := field.NewPath("spec", "names")
	var found field.ErrorList
	check := func(at *field.Path, name string) {
		if name == "" {
			return
		}
		for _, words := range validation.IsDNS1035Label(name) {
			found = append(found, field.Invalid(at, name, words))
		}
	}
	check(at.Child("plural"), names.Plural)
	check(at.Child("singular"), names.Singular)
	check(at.Child("kind"), strings.ToLower(names.Kind))
	check(at.Child("listKind"), strings.ToLower(names.ListKind))
	for i, name := range names.ShortNames {
		check(at.Child("shortNames").Index(i), name)
	}
	for i, name := range names.Categories {
		check(at.Child("categories").Index(i), name)
	}
	return found
}

func checkVersions(versions []apiextensionsv1.CustomResourceDefinitionVersion) field.ErrorList {
	at := field.NewPath("spec", "versions")
	var found field.ErrorList
	storage, seen := 0, map[string]bool{}
	for i := range versions {
		v := &versions[i]
		for _, words := range validation.IsDNS1035Label(v.Name) {
			found = append(found, field.Invalid(at.Index(i).Child("name"), v.Name, words))
		}
		if seen[v.Name] {
			found = append(found, field.Invalid(at.Index(i).Child("name"), v.Name, "must be unique"))
		}
		seen[v.Name] = true
		if v.Storage {
			storage++
		}
		for j, column := range v.AdditionalPrinterColumns {
			path := at.Index(i).Child("additionalPrinterColumns").Index(j).Child("JSONPath")
			switch {
			case column.JSONPath == "":
				found = append(found, field.Required(path, ""))
			case !strings.HasPrefix(column.JSONPath, "."):
				found = append(found, field.Invalid(path, column.JSONPath, "must be a simple json path starting with ."))
			}
		}
	}
	if storage != 1 {
		names := slices.Sorted(maps.Keys(seen))
		found = append(found, field.Invalid(at, names, "must have exactly one version marked as storage version"))
	}
	return found
}

func structuralErrors(at *field.Path, s *structural.Structural) (found field.ErrorList) {
	defer func() {
		if recover() != nil {
			found = nil
		}
	}()
	return structural.ValidateStructural(at, s)
}
