package accept

import (
	"reflect"

	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// zeroStruct returns the fields of an empty struct as the converter encodes it, and reports whether
// they are known. The converter is not used because its cache takes quadratic time and memory.
func zeroStruct(typ reflect.Type) (fields map[string]any, known bool) {
	empty := reflect.New(typ).Elem()
	fields = map[string]any{}
	for name, info := range value.TypeReflectEntryOf(typ).Fields() {
		field := info.GetFrom(empty)
		if info.CanOmit(field) {
			continue
		}
		if fields[name], known = zeroValue(field); !known {
			return nil, false
		}
	}
	return fields, true
}

// zeroValue returns an empty value as the converter encodes it, and reports whether the encoding is
// known.
func zeroValue(empty reflect.Value) (encoded any, known bool) {
	switch typ := empty.Type(); typ.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Interface:
		return nil, true
	case reflect.String:
		return "", true
	case reflect.Bool:
		return false, true
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return int64(0), true
	case reflect.Float32, reflect.Float64:
		return float64(0), true
	case reflect.Struct:
		if !isCustom(typ) {
			return zeroStruct(typ)
		}
		encoded, err := value.TypeReflectEntryOf(typ).ToUnstructured(empty)
		return encoded, err == nil
	}
	return nil, false
}
