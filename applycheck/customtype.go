package applycheck

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	celcommon "k8s.io/apiserver/pkg/cel/common"
	smd "sigs.k8s.io/structured-merge-diff/v6/schema"
	"sigs.k8s.io/structured-merge-diff/v6/typed"

	"github.com/kratix-schedule/kratix-schedule/applycheck/schemas"
)

// customType is one version of a custom kind, in the form that the API server uses.
type customType struct {
	typ        typed.ParseableType
	structural *structural.Structural
	validator  validation.SchemaValidator
	// rules compiles the CEL rules when they are first needed. It returns nil if there are none.
	rules func() *cel.Validator
	// replicas is the path of the field that the scale subresource changes, or empty.
	replicas []string
}

// errNoSchema is the error for a version without a schema.
var errNoSchema = errors.New("the definition has no schema for the version")

func decodeDefinition(fields map[string]any) (*apiextensionsv1.CustomResourceDefinition, error) {
	text, err := json.Marshal(fields)
	if err != nil {
		return nil, err
	}
	definition := &apiextensionsv1.CustomResourceDefinition{}
	if err := json.Unmarshal(text, definition); err != nil {
		return nil, err
	}
	return definition, nil
}

func structuralOf(definition *apiextensionsv1.CustomResourceDefinition, version string) (*structural.Structural, *apiextensions.JSONSchemaProps, error) {
	i := slices.IndexFunc(definition.Spec.Versions, func(v apiextensionsv1.CustomResourceDefinitionVersion) bool { return v.Name == version })
	if i < 0 || definition.Spec.Versions[i].Schema == nil || definition.Spec.Versions[i].Schema.OpenAPIV3Schema == nil {
		return nil, nil, errNoSchema
	}
	internal := &apiextensions.CustomResourceValidation{}
	if err := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation(definition.Spec.Versions[i].Schema, internal, nil); err != nil {
		return nil, nil, err
	}
	found, err := structural.NewStructural(internal.OpenAPIV3Schema)
	return found, internal.OpenAPIV3Schema, err
}

// newCustomType returns a version of a definition's kind. A panic of the libraries, which expect
// valid definitions, becomes an error.
func newCustomType(definition *apiextensionsv1.CustomResourceDefinition, version string, minor *schemas.Minor) (c *customType, err error) {
	defer func() {
		if r := recover(); r != nil {
			c, err = nil, fmt.Errorf("the definition %s cannot be used: %v", definition.Name, r)
		}
	}()
	found, props, err := structuralOf(definition, version)
	if err != nil {
		return nil, err
	}
	if errs := structural.ValidateStructural(nil, found); len(errs) > 0 {
		return nil, errs.ToAggregate()
	}
	validator, _, err := validation.NewSchemaValidator(props)
	if err != nil {
		return nil, err
	}
	typ, err := customTypeSchema(found, definition.Spec.PreserveUnknownFields, minor)
	if err != nil {
		return nil, err
	}
	return &customType{
		replicas: replicasOf(definition, version), typ: typ, structural: found, validator: validator,
		rules: sync.OnceValue(func() *cel.Validator { return cel.NewValidator(found, true, celconfig.PerCallLimit) }),
	}, nil
}

func (t *customType) typedErrors(fields map[string]any) (found typed.ValidationErrors) {
	defer func() { _ = recover() }()
	return typedErrors(t.typ, fields)
}

// errors returns the faults of an object that fits its type. If old is not nil, they include the
// faults of the change from old. The CEL rules are evaluated only if withRules is true.
func (t *customType) errors(fields, old map[string]any, withRules bool) (found field.ErrorList) {
	defer func() {
		if recover() != nil {
			found = nil // a panic of the library is not a fault of the object
		}
	}()
	fields = t.stored(fields)
	if old != nil {
		old = t.stored(old)
		keepEmpty(fields, old)
	}
	return t.validate(fields, old, withRules)
}

// stored returns a copy of an object without unknown fields and with defaults, as the API server
// decodes it.
func (t *customType) stored(fields map[string]any) map[string]any {
	fields = runtime.DeepCopyJSON(fields)
	pruning.Prune(fields, t.structural, true)
	defaulting.PruneNonNullableNullsWithoutDefaults(fields, t.structural)
	defaulting.Default(fields, t.structural)
	return fields
}

// validate validates a created or updated custom resource as the API server does. It has no
// context, because the cost of CEL rules is bounded.
//
//nolint:contextcheck,nolintlint // read by contextcheck alone
func (t *customType) validate(fields, old map[string]any, withRules bool) field.ErrorList {
	ctx := context.Background()
	var found field.ErrorList
	var options []cel.Option
	if old == nil {
		found = validation.ValidateCustomResource(nil, fields, t.validator)
	} else {
		correlated := celcommon.NewCorrelatedObject(fields, old, &model.Structural{Structural: t.structural})
		found = validation.ValidateCustomResourceUpdate(nil, fields, old, t.validator, validation.WithRatcheting(correlated))
		options = append(options, cel.WithRatcheting(correlated))
	}
	found = append(found, t.checkReplicas(fields)...)
	found = append(found, objectmeta.Validate(ctx, nil, fields, t.structural, false)...)
	if old == nil || len(listtype.ValidateListSetsAndMaps(nil, t.structural, old)) == 0 {
		found = append(found, listtype.ValidateListSetsAndMaps(nil, t.structural, fields)...)
	}
	if len(found) > 0 || !withRules {
		return found
	}
	rules := t.rules()
	if rules == nil {
		return nil
	}
	var before any
	if old != nil {
		before = old
	}
	found, _ = rules.Validate(ctx, nil, t.structural, fields, before, celconfig.RuntimeCELCostBudget, options...)
	return found
}

// replicasOf returns the path of the field that the scale subresource of a version changes, or nil.
func replicasOf(definition *apiextensionsv1.CustomResourceDefinition, version string) []string {
	for _, v := range definition.Spec.Versions {
		if v.Name == version && v.Subresources != nil && v.Subresources.Scale != nil {
			return strings.Split(strings.TrimPrefix(v.Subresources.Scale.SpecReplicasPath, "."), ".")
		}
	}
	return nil
}

func (t *customType) checkReplicas(fields map[string]any) field.ErrorList {
	if t.replicas == nil {
		return nil
	}
	number, is := anyAt(fields, t.replicas...).(int64)
	at := field.NewPath("", t.replicas...)
	switch {
	case is && number < 0:
		return field.ErrorList{field.Invalid(at, number, "should be a non-negative integer")}
	case is && number > math.MaxInt32:
		return field.ErrorList{field.Invalid(at, number, fmt.Sprintf("should be less than or equal to %d", math.MaxInt32))}
	}
	return nil
}

func metaTypes() []string {
	const meta = "io.k8s.apimachinery.pkg.apis.meta.v1."
	return []string{meta + "ObjectMeta", meta + "OwnerReference", meta + "ManagedFieldsEntry", meta + "FieldsV1", meta + "Time"}
}

// withMetaTypes returns a schema with the given types and with the types of an object's metadata.
func withMetaTypes(types []smd.TypeDef, minor *schemas.Minor) *smd.Schema {
	for _, name := range metaTypes() {
		if def, known := minor.Type(name).Schema.FindNamedType(name); known {
			types = append(types, def)
		}
	}
	return &smd.Schema{Types: types}
}
