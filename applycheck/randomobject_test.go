package applycheck

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
	smd "sigs.k8s.io/structured-merge-diff/v6/schema"

	"github.com/kratix-schedule/kratix-schedule/applycheck/schemas"
)

// randomObject generates objects of a kind, with or without faults, from a sequence of bytes.
type randomObject struct {
	minor  *schemas.Minor
	schema *smd.Schema
	bytes  []byte
	// rarity is N if one in N values is odd on average, or 0 if no value is odd.
	rarity int
}

func newRandomObject(minor *schemas.Minor, kind schemas.Kind, bytes []byte) map[string]any {
	typ := minor.Type(kind.Type)
	r := &randomObject{minor: minor, schema: typ.Schema, bytes: bytes}
	r.rarity = []int{0, 100, 30, 10}[r.choose(4)]
	object, _ := r.value(typ.TypeRef, 0).(map[string]any)
	if object == nil {
		object = map[string]any{}
	}
	object["apiVersion"], object["kind"] = kind.GroupVersion().String(), kind.Kind
	return object
}

func (r *randomObject) mutate(value any) any {
	switch v := value.(type) {
	case map[string]any:
		names := slices.Sorted(maps.Keys(v))
		if len(names) == 0 || r.choose(8) == 0 {
			v["unknown"] = r.oddValue()
			return v
		}
		name := names[r.choose(len(names))]
		if r.choose(10) == 0 {
			delete(v, name)
		} else {
			v[name] = r.mutate(v[name])
		}
		return v
	case []any:
		if len(v) == 0 || r.choose(8) == 0 {
			return r.oddValue()
		}
		i := r.choose(len(v))
		if r.choose(4) == 0 {
			return append(v, runtime.DeepCopyJSONValue(v[i]))
		}
		v[i] = r.mutate(v[i])
		return v
	}
	return r.oddValue()
}

func (r *randomObject) oddValue() any {
	values := oddValues()
	return values[r.choose(len(values))]
}

func (r *randomObject) choose(n int) int {
	if len(r.bytes) == 0 {
		return 0
	}
	b := r.bytes[0]
	r.bytes = r.bytes[1:]
	return int(b) % n
}

func (r *randomObject) odd() bool { return r.rarity > 0 && r.choose(r.rarity) == r.rarity-1 }

func oddValues() []any {
	return []any{
		nil, "", "x", "${x}", "01", "1.50", " 1", "1e3", "1000", "0.5Gi", "1.5", "-1", "YWJj\n", "YWJ=", "YWI=", "YR==", "2020-01-01T01:00:00+01:00",
		"2020-01-01T00:00:00.000001Z", "0001-01-01T00:00:00Z", "1m0s", "\u2028<&>", "\xff", int64(0), int64(-1), int64(70000), int64(1) << 31, int64(1) << 40, 1.5, 2.0, 1e300,
		true, false, map[string]any{}, map[string]any{"a": nil}, map[string]any{"a": "b"}, map[string]any{"a": map[string]any{}}, map[string]any{"status": "x"}, []any{}, []any{nil}, []any{"a", "a"},
		[]any{"a", int64(1)}, []any{map[string]any{}}, []any{map[string]any{"name": "a"}, map[string]any{"name": "a"}}, []any{[]any{}},
	}
}

func (r *randomObject) value(ref smd.TypeRef, depth int) any {
	if r.odd() {
		return r.oddValue()
	}
	atom, _ := r.schema.Resolve(ref)
	var name string
	if ref.NamedType != nil {
		name = *ref.NamedType
	}
	switch {
	case atom.Scalar != nil:
		return r.scalar(name, *atom.Scalar)
	case atom.List != nil:
		return r.list(atom.List, depth)
	case atom.Map != nil:
		return r.object(name, atom.Map, depth)
	}
	return nil
}

func (r *randomObject) scalar(name string, of smd.Scalar) any {
	switch {
	case name == "io.k8s.apimachinery.pkg.api.resource.Quantity":
		return []any{"1", "100m", "64Mi", "1000", int64(2), "0.5"}[r.choose(6)]
	case name == "io.k8s.apimachinery.pkg.util.intstr.IntOrString":
		return []any{int64(80), "http", "25%"}[r.choose(3)]
	case name == "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime":
		return "2020-01-01T00:00:00.000000Z"
	case of == smd.Numeric:
		return []any{int64(1), int64(0), int64(300)}[r.choose(3)]
	case of == smd.Boolean:
		return r.choose(2) == 0
	case of == smd.Untyped:
		return "2020-01-01T00:00:00Z"
	}
	return []any{"YWJj", "YWFh", "", "Zm9v"}[r.choose(4)]
}

func (r *randomObject) list(of *smd.List, depth int) any {
	items := []any{}
	for range r.choose(4) {
		items = append(items, r.value(of.ElementType, depth+1))
	}
	if len(items) > 0 && r.odd() {
		items = append(items, runtime.DeepCopyJSONValue(items[0]))
	}
	return items
}

func (r *randomObject) object(name string, of *smd.Map, depth int) any {
	fields := map[string]any{}
	if len(of.Fields) == 0 {
		for _, key := range []string{"a", "b", "memory"}[:r.choose(4)] {
			fields[key] = r.value(of.ElementType, depth+1)
		}
		return fields
	}
	for i := range of.Fields {
		f := &of.Fields[i]
		_, required := requiredFields[name][f.Name]
		if !required && depth > 0 && (r.choose(3+depth) > 1 || len(r.bytes) == 0) || required && r.odd() {
			continue
		}
		fields[f.Name] = r.value(f.Type, depth+1)
		if values := r.minor.Enum(name, f.Name); len(values) > 0 && !r.odd() {
			fields[f.Name] = values[r.choose(len(values))]
			if atom, _ := r.schema.Resolve(f.Type); atom.List != nil {
				fields[f.Name] = []any{values[0]}
			}
		}
	}
	if r.odd() {
		fields["unknown"] = r.value(of.ElementType, depth+1)
	}
	return fields
}
