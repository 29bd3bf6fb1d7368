package apply

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
)

// node is a value in an object, with its schema.
type node struct {
	// path has the names of fields and the indexes of items from the object to the value.
	path   []any
	value  any
	schema Schema
	// required means that the schema requires the field.
	required bool
	// typ is the name of the value's type. owner is the name of the type with the field.
	typ, owner string
}

// nodes returns the values in an object in a fixed order, beginning with the object itself. The
// status and all metadata are left out, because users do not write them.
func (s *Schemas) nodes(kind Kind, object map[string]any) []node {
	var all []node
	var visit func(n node)
	visit = func(n node) {
		if len(n.path) > 0 {
			n.schema, n.typ = s.resolve(n.schema)
		}
		all = append(all, n)
		switch v := n.value.(type) {
		case map[string]any:
			for _, field := range slices.Sorted(maps.Keys(v)) {
				if len(n.path) == 0 && slices.Contains([]string{"apiVersion", "kind", "metadata", "status"}, field) {
					continue
				}
				below := objectOf(n.schema, field)
				visit(node{path: append(slices.Clone(n.path), field), value: v[field], schema: below, required: n.schema.Required(field), owner: n.typ})
			}
		case []any:
			for i, item := range v {
				visit(node{path: append(slices.Clone(n.path), i), value: item, schema: objectOrEmpty(n.schema["items"])})
			}
		}
	}
	visit(node{value: object, schema: kind.Schema, typ: kind.Type})
	return all
}

// objectOf returns the schema of a field in a struct or a map.
func objectOf(of Schema, field string) Schema {
	if below, ok := of.Properties()[field]; ok {
		return objectOrEmpty(below)
	}
	return objectOrEmpty(of["additionalProperties"])
}

func objectOrEmpty(v any) Schema {
	if s := object(v); s != nil {
		return s
	}
	return Schema{}
}

// gone is a special value. With it, put removes the field or item.
type gone struct{}

// with returns a copy of an object with another value at a path.
func with(object map[string]any, path []any, value any) map[string]any {
	value = integers(value)
	changed, _ := put(runtime.DeepCopyJSON(object), path, value).(map[string]any)
	return changed
}

func put(at any, path []any, value any) any {
	if len(path) == 0 {
		return value
	}
	switch step := path[0].(type) {
	case string:
		fields, _ := at.(map[string]any)
		if fields == nil {
			fields = map[string]any{}
		}
		below := put(fields[step], path[1:], value)
		if below == (gone{}) {
			delete(fields, step)
		} else {
			fields[step] = below
		}
		return fields
	case int:
		items, _ := at.([]any)
		if step >= len(items) {
			return append(items, put(nil, path[1:], value))
		}
		if items[step] = put(items[step], path[1:], value); items[step] == (gone{}) {
			return slices.Delete(items, step, step+1)
		}
		return items
	}
	return at
}
