package applycheck

import (
	"maps"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func checkSchema(at *field.Path, s *apiextensionsv1.JSONSchemaProps) field.ErrorList {
	if s == nil {
		return nil
	}
	found := checkSchemaTypes(at, s)
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		below := s.Properties[name]
		found = append(found, checkSchema(at.Child("properties").Key(name), &below)...)
		if len(found) >= maxFaults {
			return found
		}
	}
	if s.Items != nil {
		found = append(found, checkSchema(at.Child("items"), s.Items.Schema)...)
	}
	if s.AdditionalProperties != nil {
		found = append(found, checkSchema(at.Child("additionalProperties"), s.AdditionalProperties.Schema)...)
	}
	return found
}

// checkSchemaTypes checks the types in a schema, but not in the schemas nested in it.
func checkSchemaTypes(at *field.Path, s *apiextensionsv1.JSONSchemaProps) field.ErrorList {
	var found field.ErrorList
	one := func(at *field.Path, value string, of ...string) {
		if !slices.Contains(of, value) {
			found = append(found, field.NotSupported(at, value, of))
		}
	}
	if s.Type != "" {
		one(at.Child("type"), s.Type, "array", "boolean", "integer", "number", "object", "string")
	}
	if s.XListType != nil {
		if s.Type != "array" {
			found = append(found, field.Invalid(at.Child("type"), s.Type, "must be array if x-kubernetes-list-type is specified"))
		}
		one(at.Child("x-kubernetes-list-type"), *s.XListType, "atomic", "map", "set")
	}
	if s.XMapType != nil {
		if s.Type != "object" {
			found = append(found, field.Invalid(at.Child("type"), s.Type, "must be object if x-kubernetes-map-type is specified"))
		}
		one(at.Child("x-kubernetes-map-type"), *s.XMapType, "atomic", "granular")
	}
	for i, rule := range s.XValidations {
		if rule.Reason != nil {
			one(at.Child("x-kubernetes-validations").Index(i).Child("reason"), string(*rule.Reason),
				"FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
		}
	}
	return append(found, checkMapKeys(at, s)...)
}

func checkMapKeys(at *field.Path, s *apiextensionsv1.JSONSchemaProps) field.ErrorList {
	at = at.Child("x-kubernetes-list-map-keys")
	isMap := s.XListType != nil && *s.XListType == "map"
	switch {
	case isMap && len(s.XListMapKeys) == 0:
		return field.ErrorList{field.Required(at, "must not be empty if x-kubernetes-list-type is map")}
	case !isMap || s.Items == nil || s.Items.Schema == nil:
		return nil
	}
	for _, key := range s.XListMapKeys {
		if _, known := s.Items.Schema.Properties[key]; !known {
			return field.ErrorList{field.Invalid(at, s.XListMapKeys, "entries must all be names of item properties")}
		}
	}
	return nil
}
