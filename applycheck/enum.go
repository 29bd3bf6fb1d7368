package applycheck

import (
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
	smd "sigs.k8s.io/structured-merge-diff/v6/schema"
	"sigs.k8s.io/structured-merge-diff/v6/typed"

	"github.com/kratix-schedule/kratix-schedule/applycheck/schemas"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// enumWalk finds the fields of an object whose value is not among those of their type.
type enumWalk struct {
	minor  *schemas.Minor
	schema *smd.Schema
	found  field.ErrorList
}

// checkEnums returns the faults of an object whose fields have values that the API server does
// not support; applied are the fields as Flux sends them. An empty value counts only where the
// API server has refused one: for many fields it is the default.
func checkEnums(o *objectFacts, content *kustomize.Content, applied map[string]any, typ typed.ParseableType, minor *schemas.Minor) []fault {
	w := &enumWalk{minor: minor, schema: typ.Schema}
	w.visit(typ.TypeRef, applied, nil)
	faults := make([]fault, 0, len(w.found))
	for _, err := range w.found {
		f := invalid(finding.InvalidField(), o, lineOf(content, err.Field), err)
		f.versioned = true
		faults = append(faults, f)
	}
	return faults
}

func (w *enumWalk) visit(ref smd.TypeRef, value any, path *field.Path) {
	if len(w.found) == maxFaults {
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
		for _, name := range slices.Sorted(maps.Keys(v)) {
			below := path.Child(name)
			if ref.NamedType != nil && (!isEmpty(v[name]) || emptyEnums[*ref.NamedType][name]) {
				w.compare(w.minor.Enum(*ref.NamedType, name), v[name], below)
			}
			next := atom.Map.ElementType
			if f, known := atom.Map.FindField(name); known {
				next = f.Type
			}
			w.visit(next, v[name], below)
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

// isStatus reports whether a type is the status of a kind. The API server ignores the status of
// an applied object, and of objects embedded in it.
func isStatus(ref smd.TypeRef) bool {
	return ref.NamedType != nil && strings.HasSuffix(*ref.NamedType, "Status")
}

// compare adds an error if a string, or an item of a list of strings, is not among the values.
func (w *enumWalk) compare(values []string, value any, path *field.Path) {
	if values == nil {
		return
	}
	switch v := value.(type) {
	case string:
		if !hasVariable(v) && !slices.Contains(values, v) {
			w.found = append(w.found, field.NotSupported(path, v, values))
		}
	case []any:
		for i, item := range v {
			if _, text := item.(string); text {
				w.compare(values, item, path.Index(i))
			}
		}
	}
}
