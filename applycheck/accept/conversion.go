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

// conversion decodes a value as a Go type that is not encoded as its fields are, and encodes it
// again. It returns false if it does not know the result.
type conversion func(value any) (any, bool)

// apply converts a value.
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

// isCustom reports whether a Go type has its own JSON form.
func isCustom(typ reflect.Type) bool {
	entry := value.TypeReflectEntryOf(typ)
	return entry.CanConvertFromUnstructured() || entry.CanConvertToUnstructured()
}

// customConversion returns the conversion of a Go type with its own JSON form. It is that of the
// converter, with faster ways for the two types that are frequent.
func customConversion(typ reflect.Type) conversion {
	switch typ {
	case reflect.TypeFor[resource.Quantity]():
		return convertQuantity
	case reflect.TypeFor[intstr.IntOrString]():
		return convertIntOrString
	}
	return roundTrip(typ)
}

// roundTrip returns the conversion of a Go type with its own JSON form as the converter does it.
// Other types have no conversion.
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

// convertQuantity converts strings and integers as Quantity's methods for JSON do. A string that is
// more than a quantity, for instance with a space around it, is left to these methods.
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

// convertIntOrString converts a value as IntOrString's methods for JSON do: strings and integers of
// 32 bits stay as they are.
func convertIntOrString(value any) (any, bool) {
	switch v := value.(type) {
	case string:
		return value, utf8.ValidString(v)
	case int64:
		return value, math.MinInt32 <= v && v <= math.MaxInt32
	}
	return nil, false
}

// convertBytes converts a string that the converter decodes as bytes: it is in base64, and encoded
// again without line breaks.
func convertBytes(value any) (any, bool) {
	text, isText := value.(string)
	decoded, err := base64.StdEncoding.DecodeString(text)
	return base64.StdEncoding.EncodeToString(decoded), isText && err == nil
}
