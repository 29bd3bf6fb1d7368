package accept

import (
	"math"
	"reflect"

	smd "sigs.k8s.io/structured-merge-diff/v6/schema"
)

type scalars uint8

const (
	texts scalars = 1 << iota
	booleans
	integers
	floats
)

func scalarsOf(of *smd.Scalar) scalars {
	if of == nil {
		return 0
	}
	switch *of {
	case smd.String:
		return texts
	case smd.Boolean:
		return booleans
	case smd.Numeric:
		return integers | floats
	case smd.Untyped:
		return texts | booleans | integers | floats
	}
	return 0
}

// decodeScalar restricts a node to the scalars that fit a Go type without a change.
func (n *node) decodeScalar(typ reflect.Type) {
	switch typ.Kind() {
	case reflect.String:
		n.scalars &= texts
	case reflect.Bool:
		n.scalars &= booleans
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n.scalars &= integers
		n.most = math.MaxInt64 >> (64 - typ.Bits())
		n.least = -n.most - 1
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32:
		n.scalars &= integers
		n.least, n.most = 0, math.MaxInt64>>(63-typ.Bits())
	case reflect.Float64:
		n.scalars &= floats
	default:
		n.scalars = 0
	}
}
