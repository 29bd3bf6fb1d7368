package accept

import (
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	smd "sigs.k8s.io/structured-merge-diff/v6/schema"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// object returns the compiled form of a map type, or nil if no object of the type can be accepted.
// structType is the struct to which Flux decodes the type, or nil.
func (c *compiler) object(of declared, structType reflect.Type) *object {
	o := &object{fields: make(map[string]*field, len(of.Map.Fields)), decoded: structType != nil}
	ruled := of.name != "" && !of.exempt
	for i := range of.Map.Fields {
		property := &of.Map.Fields[i]
		f := &field{}
		var goType reflect.Type
		if structType != nil {
			if goType = f.decode(structType, property.Name); goType == nil {
				continue // Flux drops the field
			}
		}
		f.node = c.node(property.Type, goType, of.exempt)
		if ruled {
			f.values, f.evenEmpty = c.rules.Values(of.name, property.Name)
		}
		o.fields[property.Name] = f
	}
	if ruled {
		o.required = c.rules.Required(of.name)
	}
	if structType == nil {
		if of.Map.ElementType != (smd.TypeRef{}) {
			o.others = c.node(of.Map.ElementType, nil, of.exempt)
		}
	} else if !c.addFills(o, of, structType) {
		return nil
	}
	return o
}

// decode sets whether Flux omits the field when it encodes a struct. It returns the Go type of the
// field, or nil if the struct does not have the field.
func (f *field) decode(structType reflect.Type, name string) reflect.Type {
	info := value.TypeReflectEntryOf(structType).Fields()[name]
	if info == nil {
		return nil
	}
	zero := info.GetFrom(reflect.New(structType).Elem())
	typ := zero.Type()
	switch typ.Kind() {
	case reflect.Pointer:
	case reflect.Struct:
		// the conversion of metav1.Time does not accept a zero time
		f.omitZero = info.CanOmit(zero) && typ != reflect.TypeFor[metav1.Time]()
	case reflect.Slice:
		f.omitEmpty = info.CanOmit(reflect.MakeSlice(typ, 0, 0))
	case reflect.Map:
		f.omitEmpty = info.CanOmit(reflect.MakeMap(typ))
	default:
		f.omitEmpty = info.CanOmit(zero)
	}
	return typ
}

// addFills adds the fields in the encoding of an empty struct. It reports whether they are known.
func (c *compiler) addFills(o *object, of declared, structType reflect.Type) bool {
	zero, known := zeroStruct(structType)
	for name, value := range zero {
		filled := &fill{name: name, value: value, accepted: true}
		o.fills = append(o.fills, filled)
		f := o.fields[name]
		if f == nil {
			continue // the minor does not have the field
		}
		f.fill = filled
		var below *node
		if isMap := reflect.TypeOf(value) == reflect.TypeFor[map[string]any](); isMap {
			property, _ := of.Map.FindField(name)
			below = c.node(property.Type, nil, of.exempt)
		}
		c.pending = append(c.pending, func() { filled.accepted = f.acceptsFill(value, below) })
	}
	return known
}

// acceptsFill reports whether value, which Flux sends for a missing field, is accepted. below is
// the compiled type of value if value is a map, and nil otherwise.
func (f *field) acceptsFill(value any, below *node) bool {
	if f.values != nil && !f.supports(value) {
		return false
	}
	if below == nil {
		return true
	}
	_, result := below.visit(value)
	return result != doubtful
}
