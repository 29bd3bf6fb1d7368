package accept

import (
	"math"
	"reflect"

	smd "sigs.k8s.io/structured-merge-diff/v6/schema"

	"github.com/kratix-schedule/kratix-schedule/applycheck/schemas"
)

// nodeKey identifies a compiled type.
type nodeKey struct {
	name         string
	relationship smd.ElementRelationship
	// goType is nil for types that Flux does not decode.
	goType reflect.Type
	// exempt means that the Rules do not count.
	exempt bool
}

// compiler compiles the types of one kind.
type compiler struct {
	*Types
	schema *smd.Schema
	// pending checks whether fills are accepted, once all types are complete.
	pending []func()
}

// compile returns the type of the objects of a kind, with the status that Flux has removed.
func (t *Types) compile(kind schemas.Kind) *object {
	typ := t.minor.Type(kind.Type)
	c := &compiler{Types: t, schema: typ.Schema}
	compiled := c.node(typ.TypeRef, t.rules.GoType(kind.GroupVersionKind), false)
	for _, check := range c.pending {
		check()
	}
	if compiled.object == nil {
		return &object{}
	}
	return compiled.object.withoutStatus()
}

// withoutStatus returns the type of an object whose status is left out after it is encoded.
func (o *object) withoutStatus() *object {
	without := *o
	without.fills = nil
	for _, f := range o.fills {
		if f.name != "status" {
			without.fills = append(without.fills, f)
		}
	}
	return &without
}

// node returns the compiled form of a type that Flux decodes as a Go type, or does not decode if
// that is nil.
func (c *compiler) node(ref smd.TypeRef, goType reflect.Type, exempt bool) *node {
	for goType != nil && goType.Kind() == reflect.Pointer {
		goType = goType.Elem()
	}
	if ref.NamedType == nil {
		return c.complete(&node{}, ref, goType, exempt)
	}
	key := nodeKey{name: *ref.NamedType, goType: goType, exempt: exempt || c.rules.Exempt(*ref.NamedType)}
	if ref.ElementRelationship != nil {
		key.relationship = *ref.ElementRelationship
	}
	n := c.nodes[key]
	if n == nil {
		n = &node{}
		c.nodes[key] = n // before its fields, whose types may refer to it
		c.complete(n, ref, goType, key.exempt)
	}
	return n
}

// complete sets what a node accepts.
func (c *compiler) complete(n *node, ref smd.TypeRef, goType reflect.Type, exempt bool) *node {
	atom, known := c.schema.Resolve(ref)
	if !known {
		return n
	}
	var name string
	if ref.NamedType != nil {
		name = *ref.NamedType
	}
	n.nullable = atom.Map != nil || atom.List != nil || atom.Scalar != nil
	n.scalars, n.least, n.most = scalarsOf(atom.Scalar), math.MinInt64, math.MaxInt64
	if goType == nil || isCustom(goType) {
		if atom.List != nil {
			n.list = c.list(atom.List, nil, exempt)
		}
		if atom.Map != nil {
			n.object = c.object(atom.Map, name, nil, exempt)
		}
		if goType != nil {
			n.convert = customConversion(goType)
		}
		return n
	}
	n.decodeScalar(goType)
	switch kind := goType.Kind(); {
	case kind == reflect.Slice && goType.Elem().Kind() == reflect.Uint8:
		n.scalars, n.convert = scalarsOf(atom.Scalar)&texts, convertBytes
	case kind == reflect.Slice && atom.List != nil:
		n.list = c.list(atom.List, goType.Elem(), exempt)
	case kind == reflect.Map && goType.Key().Kind() == reflect.String && atom.Map != nil && len(atom.Map.Fields) == 0:
		n.object = &object{others: c.node(atom.Map.ElementType, goType.Elem(), exempt)}
	case kind == reflect.Struct && atom.Map != nil:
		n.object = c.object(atom.Map, name, goType, exempt)
	}
	return n
}

// list returns the compiled form of a list with items of a Go type. Defaults of keys are not
// resolved as their types are: structured-merge-diff compares the numbers in them with integers.
func (c *compiler) list(of *smd.List, item reflect.Type, exempt bool) *list {
	l := &list{item: c.node(of.ElementType, item, exempt), unique: of.ElementRelationship == smd.Associative}
	if len(of.Keys) > maxKeys {
		l.item = &node{} // no such list is accepted
		return l
	}
	items, _ := c.schema.Resolve(of.ElementType)
	for _, name := range of.Keys {
		key := listKey{name: name}
		if items.Map != nil {
			declared, _ := items.Map.FindField(name)
			key.absent = declared.Default
		}
		if number, isFloat := key.absent.(float64); isFloat && number == math.Trunc(number) {
			key.absent = int64(number)
		}
		l.keys = append(l.keys, key)
	}
	return l
}
