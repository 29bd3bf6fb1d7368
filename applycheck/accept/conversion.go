package accept

import (
	"encoding/base64"
	"math"
	"reflect"
	"strconv"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// conversion is a function that returns a value as Flux sends it, and reports whether the result is
// known.
type conversion func(value any) (any, bool)

func (c conversion) apply(value any) (any, result) {
	sent, ok := c(value)
	switch {
	case !ok:
		return nil, doubtful
	case isScalar(value) && sent == value:
		return value, unchanged
	}
	return sent, changed
}

func isScalar(value any) bool {
	switch value.(type) {
	case map[string]any, []any:
		return false
	}
	return true
}

func isCustom(typ reflect.Type) bool {
	entry := value.TypeReflectEntryOf(typ)
	return entry.CanConvertFromUnstructured() || entry.CanConvertToUnstructured()
}

func customConversion(typ reflect.Type) conversion {
	switch typ {
	case reflect.TypeFor[resource.Quantity]():
		return convertQuantity
	case reflect.TypeFor[intstr.IntOrString]():
		return convertIntOrString
	}
	return roundTrip(typ)
}

// roundTrip returns a conversion that decodes and encodes a value with the JSON methods of a Go
// type. For a type without such methods, the conversion always fails.
func roundTrip(typ reflect.Type) conversion {
	entry := value.TypeReflectEntryOf(typ)
	if typ.Kind() != reflect.Struct || !entry.CanConvertFromUnstructured() || !entry.CanConvertToUnstructured() {
		return func(any) (any, bool) { return nil, false }
	}
	return func(value any) (any, bool) {
		decoded := reflect.New(typ).Elem()
		if err := entry.FromUnstructured(reflect.ValueOf(value), decoded); err != nil {
			return nil, false
		}
		sent, err := entry.ToUnstructured(decoded)
		return sent, err == nil && sent != nil
	}
}

// convertQuantity converts a value as Quantity's JSON methods do.
func convertQuantity(value any) (any, bool) {
	var text string
	switch v := value.(type) {
	case string:
		text = v
	case int64:
		text = strconv.FormatInt(v, 10)
	}
	if quantity, err := resource.ParseQuantity(text); err == nil {
		if sent := quantity.String(); sent != value {
			return sent, true
		}
		return value, true
	}
	return roundTrip(reflect.TypeFor[resource.Quantity]())(value)
}

// convertIntOrString accepts UTF-8 strings and 32-bit integers, and returns them unchanged.
func convertIntOrString(value any) (any, bool) {
	switch v := value.(type) {
	case string:
		return value, utf8.ValidString(v)
	case int64:
		return value, math.MinInt32 <= v && v <= math.MaxInt32
	}
	return nil, false
}

// convertBytes decodes and encodes a base64 string, which removes line breaks.
func convertBytes(value any) (any, bool) {
	text, isText := value.(string)
	decoded, err := base64.StdEncoding.DecodeString(text)
	return base64.StdEncoding.EncodeToString(decoded), isText && err == nil
}
