package applycheck

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	smd "sigs.k8s.io/structured-merge-diff/v6/schema"
	"sigs.k8s.io/structured-merge-diff/v6/typed"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// requiredField is a field that the API server requires in every object of a type.
type requiredField struct {
	// detail is the API server's text after "Required value".
	detail string
	// missing means that only a missing field is refused, and not an empty one.
	missing bool
}

// lacks reports whether a value of the field is refused as missing. The number 0
// counts as missing, since Flux sends 0 for a missing number.
func (f requiredField) lacks(value any) bool {
	return value == nil || value == int64(0) || isEmpty(value) && !f.missing
}

// requiredWalk finds the fields that an object lacks.
type requiredWalk struct {
	schema *smd.Schema
	found  field.ErrorList
}

// checkRequiredFields returns the faults of an object of a built-in kind that lacks fields that
// the API server requires, according to their types; applied are the fields as Flux sends them.
func checkRequiredFields(o *objectFacts, content *kustomize.Content, applied map[string]any, typ typed.ParseableType) []fault {
	w := &requiredWalk{schema: typ.Schema}
	w.visit(typ.TypeRef, applied, nil)
	faults := make([]fault, 0, len(w.found))
	for _, err := range w.found {
		f := invalid(finding.InvalidField(), o, lineOf(content, err.Field), err)
		f.versioned = true
		faults = append(faults, f)
	}
	return faults
}

// appliedFields returns the fields of an object as the API server gets them from Flux.
func appliedFields(o *objectFacts, fields map[string]any) map[string]any {
	fields = sentFields(o.GroupVersionKind, fields)
	object, err := decoded(o.GroupVersionKind, fields)
	if object == nil || err != nil {
		return fields
	}
	sent, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return fields
	}
	return sentFields(o.GroupVersionKind, sent)
}

func (w *requiredWalk) visit(ref smd.TypeRef, value any, path *field.Path) {
	if len(w.found) >= maxFaults {
		return
	}
	atom, ok := w.schema.Resolve(ref)
	if !ok || isStatus(ref) {
		return
	}
	switch v := value.(type) {
	case map[string]any:
		if atom.Map == nil {
			return
		}
		if ref.NamedType != nil {
			w.require(requiredFields[*ref.NamedType], v, path)
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			next := atom.Map.ElementType
			if f, known := atom.Map.FindField(name); known {
				next = f.Type
			}
			w.visit(next, v[name], path.Child(name))
		}
	case []any:
		if atom.List == nil {
			return
		}
		for i, item := range v {
			w.visit(atom.List.ElementType, item, path.Index(i))
		}
	}
}

// require adds an error for each field that is missing.
func (w *requiredWalk) require(fields map[string]requiredField, of map[string]any, path *field.Path) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if rule := fields[name]; rule.lacks(of[name]) {
			w.found = append(w.found, field.Required(path.Child(name), rule.detail))
		}
	}
}
