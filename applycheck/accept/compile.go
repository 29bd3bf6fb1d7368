package accept

import (
	"math"
	"reflect"

	smd "sigs.k8s.io/structured-merge-diff/v6/schema"

	"github.com/kratix-schedule/kratix-schedule/applycheck/schemas"
)

type nodeKey struct {
	name         string
	relationship smd.ElementRelationship
	// goType is nil for types that Flux does not decode.
	goType reflect.Type
	// exempt means that Values and Required of the Rules do not apply.
	exempt bool
}

type compiler struct {
	*Types
	schema *smd.Schema
	// pending are the checks to run when all types are complete.
	pending []func()
}

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

// withoutStatus returns a copy of the type that does not fill in the status, because Flux does not
// send the status.
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

type declared struct {
	smd.Atom
	name   string
	exempt bool
}

// node returns the compiled form of a type. goType is the Go type to which Flux decodes it, or nil.
func (c *compiler) node(ref smd.TypeRef, goType reflect.Type, exempt bool) *node {
	for goType != nil && goType.Kind() == reflect.Pointer {
		goType = goType.Elem()
	}
	atom, _ := c.schema.Resolve(ref) // the zero Atom of an unknown type accepts nothing
	if ref.NamedType == nil {
		n := &node{}
		c.complete(n, declared{Atom: atom, exempt: exempt}, goType)
		return n
	}
	name := *ref.NamedType
	key := nodeKey{name: name, goType: goType, exempt: exempt || c.rules.Exempt(name)}
	if ref.ElementRelationship != nil {
		key.relationship = *ref.ElementRelationship
	}
	n := c.nodes[key]
	if n == nil {
		n = &node{}
		c.nodes[key] = n // n is stored first because its fields may refer to n
		c.complete(n, declared{atom, name, key.exempt}, goType)
	}
	return n
}

func (c *compiler) complete(n *node, of declared, goType reflect.Type) {
	n.nullable = of.Map != nil || of.List != nil || of.Scalar != nil
	n.scalars, n.least, n.most = scalarsOf(of.Scalar), math.MinInt64, math.MaxInt64
	switch {
	case goType == nil:
		c.completeUndecoded(n, of)
	case isCustom(goType):
		c.completeUndecoded(n, of)
		n.convert = customConversion(goType)
	default:
		c.completeDecoded(n, of, goType)
	}
}

func (c *compiler) completeUndecoded(n *node, of declared) {
	if of.List != nil {
		n.list = c.list(of.List, nil, of.exempt)
	}
	if of.Map != nil {
		n.object = c.object(of, nil)
	}
}

func (c *compiler) completeDecoded(n *node, of declared, goType reflect.Type) {
	accepted := n.scalars
	n.decodeScalar(goType)
	switch goType.Kind() {
	case reflect.Slice:
		if goType.Elem().Kind() == reflect.Uint8 {
			n.scalars, n.convert = accepted&texts, convertBytes
		} else if of.List != nil {
			n.list = c.list(of.List, goType.Elem(), of.exempt)
		}
	case reflect.Map:
		if of.Map != nil && len(of.Map.Fields) == 0 && goType.Key().Kind() == reflect.String {
			n.object = &object{others: c.node(of.Map.ElementType, goType.Elem(), of.exempt)}
		}
	case reflect.Struct:
		if of.Map != nil {
			n.object = c.object(of, goType)
		}
	}
}

// list returns the compiled form of a list whose items have a Go type. Whole-number defaults of
// keys become integers, because structured-merge-diff compares numbers by value.
func (c *compiler) list(of *smd.List, item reflect.Type, exempt bool) *list {
	l := &list{item: c.node(of.ElementType, item, exempt), unique: of.ElementRelationship == smd.Associative}
	if len(of.Keys) > maxKeys {
		l.item = &node{}
		return l
	}
	items, _ := c.schema.Resolve(of.ElementType)
	for _, name := range of.Keys {
		key := listKey{name: name}
		if items.Map != nil {
			of, _ := items.Map.FindField(name)
			key.absent = of.Default
		}
		if number, isFloat := key.absent.(float64); isFloat && number == math.Trunc(number) {
			key.absent = int64(number)
		}
		l.keys = append(l.keys, key)
	}
	return l
}
