package applycheck

import (
	"errors"
	"slices"

	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// customFaults returns the faults of a custom resource. While its definition changes, only
// what both forms of it refuse is a fault.
func (c *check) customFaults(o *objectFacts, content *kustomize.Content) []fault {
	var faults []fault
	for i, s := range c.definitions[o.GroupKind()] {
		typ := c.customType(s, o.Version)
		if typ == nil {
			return nil
		}
		found := typ.faults(o, content, nil)
		if i == 0 {
			faults = found
			continue
		}
		faults = slices.DeleteFunc(faults, func(f fault) bool {
			return !slices.ContainsFunc(found, func(other fault) bool { return other.words == f.words })
		})
	}
	return faults
}

// faults returns the faults of a custom resource, and of its change from old if that is not
// nil.
func (t *customType) faults(o *objectFacts, content *kustomize.Content, old map[string]any) []fault {
	fields := sentFields(o.GroupVersionKind, content.Fields)
	if found := t.typedErrors(fields); len(found) > 0 {
		faults := schemaFaults(o, content, found)
		for i := range faults {
			faults[i].versioned = false // the definition is known, whatever the version
		}
		return faults
	}
	var faults []fault
	for _, err := range t.errors(fields, old, !hasVariable(fields)) {
		if hasVariable(err.BadValue) || len(faults) == maxFaults {
			continue
		}
		if value, there := valueAt(fields, err.Field); there && hasVariable(value) {
			continue
		}
		f := invalid(finding.InvalidField(), o, lineOf(content, err.Field), err)
		f.ratcheted = true
		faults = append(faults, f)
	}
	return faults
}

// checkDefinition returns the faults of a CustomResourceDefinition.
func checkDefinition(o *objectFacts, content *kustomize.Content) []fault {
	spec := content.Fields["spec"]
	if hasVariable(spec) || hasVariable(o.name) {
		return nil
	}
	definition, err := decodeDefinition(content.Fields)
	if err != nil {
		return nil // a wrong type, which the check of the schema finds
	}
	var found field.ErrorList
	if want := definition.Spec.Names.Plural + "." + definition.Spec.Group; definition.Name != want && definition.Spec.Group != "" {
		found = append(found, field.Invalid(field.NewPath("metadata", "name"), definition.Name, `must be spec.names.plural+"."+spec.group`))
	}
	for i, version := range definition.Spec.Versions {
		at := field.NewPath("spec", "versions").Index(i).Child("schema", "openAPIV3Schema")
		s, _, err := structuralOf(definition, version.Name)
		switch {
		case errors.Is(err, errNoSchema):
			found = append(found, field.Required(at, "schemas are required"))
		case err != nil:
			found = append(found, field.Invalid(at, "", err.Error()))
		default:
			found = append(found, structuralErrors(at, s)...)
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

// structuralErrors returns what makes a schema no structural one.
func structuralErrors(at *field.Path, s *structural.Structural) (found field.ErrorList) {
	defer func() {
		if recover() != nil {
			found = nil
		}
	}()
	return structural.ValidateStructural(at, s)
}
