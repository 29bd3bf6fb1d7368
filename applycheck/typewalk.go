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

// typeWalk visits the fields of an object together with their types. It finds unsupported values
// and missing required fields.
type typeWalk struct {
	minor  *schemas.Minor
	schema *smd.Schema
	// sorted means that the fields of a map are visited in sorted order.
	sorted          bool
	values, missing field.ErrorList
}

// checkFields returns a fault for each unsupported value and each missing required field of a
// built-in object, up to a limit. applied are the fields that Flux sends.
func checkFields(o *objectFacts, content *kustomize.Content, applied map[string]any, typ typed.ParseableType, minor *schemas.Minor) []fault {
	w := &typeWalk{minor: minor, schema: typ.Schema}
	w.visit(typ.TypeRef, applied, nil)
	if len(w.values)+len(w.missing) > 0 {
		w = &typeWalk{minor: minor, schema: typ.Schema, sorted: true}
		w.visit(typ.TypeRef, applied, nil)
	}
	faults := make([]fault, 0, len(w.values)+len(w.missing))
	for _, err := range slices.Concat(w.values, w.missing) {
		f := invalid(finding.InvalidField(), o, lineOf(content, err.Field), err)
		f.versioned = true
		faults = append(faults, f)
	}
	return faults
}

func (w *typeWalk) visit(ref smd.TypeRef, value any, at *fieldPath) {
	switch value.(type) {
	case map[string]any, []any:
	default:
		return
	}
	atom, ok := w.schema.Resolve(ref)
	if !ok || ref.NamedType != nil && isStatus(*ref.NamedType) {
		return
	}
	switch v := value.(type) {
	case map[string]any:
		if atom.Map != nil {
			w.visitMap(ref.NamedType, atom.Map, v, at)
		}
	case []any:
		if atom.List == nil {
			return
		}
		for i, item := range v {
			w.visit(atom.List.ElementType, item, &fieldPath{parent: at, index: i, item: true})
		}
	}
}

func (w *typeWalk) visitMap(typ *string, of *smd.Map, fields map[string]any, at *fieldPath) {
	if typ != nil {
		w.missingFields(*typ, fields, at)
	}
	visit := func(name string, value any) {
		below := &fieldPath{parent: at, name: name}
		if typ != nil && (!isEmpty(value) || emptyEnums[*typ][name]) {
			w.unsupported(w.minor.Enum(*typ, name), value, below)
		}
		next := of.ElementType
		if f, known := of.FindField(name); known {
			next = f.Type
		}
		w.visit(next, value, below)
	}
	if !w.sorted {
		for name, value := range fields {
			visit(name, value)
		}
		return
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		visit(name, fields[name])
	}
}

// isStatus reports whether a type is a status, by its name.
func isStatus(typ string) bool { return strings.HasSuffix(typ, "Status") }

// fieldPath is the path of a field. A nil fieldPath is the path of the object.
type fieldPath struct {
	parent *fieldPath
	// If item is true, index is the position in a list. Otherwise name is the key in a map.
	name  string
	index int
	item  bool
}

func (p *fieldPath) path() *field.Path {
	switch {
	case p == nil:
		return nil
	case p.item:
		return p.parent.path().Index(p.index)
	}
	return p.parent.path().Child(p.name)
}
