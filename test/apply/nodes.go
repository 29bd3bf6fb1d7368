package apply

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
)

type node struct {
	path       []any
	value      any
	schema     Schema
	required   bool
	typ, owner string
}

// nodes returns the values in an object in a fixed order, beginning with the object itself. It
// omits apiVersion, kind, metadata and status.
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

type gone struct{}

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
