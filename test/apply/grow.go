package apply

import (
	"maps"
	"slices"
)

// Grow returns a copy of an object with one random change. The API server may refuse the result.
func (m *Maker) Grow(kind Kind, from map[string]any) map[string]any {
	nodes := m.nodes(kind, from)
	for range 20 {
		n := nodes[m.IntN(len(nodes))]
		switch m.IntN(12) {
		case 0:
			return m.growMetadata(from)
		case 1, 2:
			if grown := m.another(from, n); grown != nil {
				return grown
			}
		case 3:
			if len(n.path) > 1 && !n.required {
				return with(from, n.path, gone{})
			}
		case 4:
			if len(n.path) > 1 && !n.required && m.IntN(3) == 0 {
				return with(from, n.path, nil)
			}
		default:
			if grown := m.added(from, n); grown != nil {
				return grown
			}
		}
	}
	return m.growMetadata(from)
}

func (m *Maker) another(from map[string]any, n node) map[string]any {
	if len(n.path) == 0 {
		return nil
	}
	switch n.value.(type) {
	case map[string]any, []any:
		return nil
	}
	name, _ := n.path[len(n.path)-1].(string)
	return with(from, n.path, m.value(n.schema, name, 2))
}

func (m *Maker) added(from map[string]any, n node) map[string]any {
	switch v := n.value.(type) {
	case map[string]any:
		if values := object(n.schema["additionalProperties"]); values != nil {
			key := m.pick("g", "h.example.org/i", "j-k", "cpu", "L_m")
			return with(from, append(slices.Clone(n.path), key), m.value(values, key, len(n.path)))
		}
		properties := n.schema.Properties()
		missing := slices.DeleteFunc(slices.Sorted(maps.Keys(properties)), func(field string) bool {
			_, has := v[field]
			return has || len(n.path) == 0 && field == "status"
		})
		if len(missing) > 0 {
			field := missing[m.IntN(len(missing))]
			return with(from, append(slices.Clone(n.path), field), m.value(objectOrEmpty(properties[field]), field, len(n.path)+1))
		}
	case []any:
		return with(from, append(slices.Clone(n.path), len(v)), m.value(objectOrEmpty(n.schema["items"]), "", len(n.path)))
	}
	return nil
}

func (m *Maker) growMetadata(from map[string]any) map[string]any {
	switch m.IntN(8) {
	case 0, 1:
		return with(from, []any{"metadata", "labels", m.pick("app", "a.example.org/b", "app.kubernetes.io/name", "A_b-c.d")}, m.pick("", "a", "A_b-c.d", "1"))
	case 2, 3:
		return with(from, []any{"metadata", "annotations", m.pick("note", "a.example.org/b", "kustomize.toolkit.fluxcd.io/prune", "x/Y_z")}, m.pick("", "any {words}: \"here\"\n", "disabled", "ünïcödé"))
	case 4:
		return with(from, []any{"metadata", "finalizers"}, []any{m.pick("example.org/a", "a.example.org/b")})
	case 5:
		owner := map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"}
		return with(from, []any{"metadata", "ownerReferences"}, []any{owner})
	case 6:
		return with(from, []any{"metadata", "creationTimestamp"}, nil)
	}
	return with(from, []any{"status"}, map[string]any{})
}

// Fresh returns an object with random content, for kinds without an example.
func (m *Maker) Fresh(kind Kind, name string) map[string]any {
	made, _ := m.value(kind.Schema, "", 1).(map[string]any)
	made, _ = integers(made).(map[string]any)
	delete(made, "status")
	metadata := map[string]any{"name": name}
	if kind.Namespaced {
		metadata["namespace"] = "default"
	}
	made["apiVersion"], made["kind"], made["metadata"] = kind.GroupVersion().String(), kind.Kind, metadata
	return made
}

// integers returns a copy of a value in which whole numbers are int64. Decoded JSON has them as
// float64.
func integers(v any) any {
	switch v := v.(type) {
	case float64:
		if v == float64(int64(v)) {
			return int64(v)
		}
	case map[string]any:
		copied := make(map[string]any, len(v))
		for key, below := range v {
			copied[key] = integers(below)
		}
		return copied
	case []any:
		copied := make([]any, len(v))
		for i, below := range v {
			copied[i] = integers(below)
		}
		return copied
	}
	return v
}
