package accept

// node is a compiled type. The zero node accepts no value.
type node struct {
	scalars     scalars
	least, most int64
	list        *list
	object      *object
	// nullable means that null is accepted.
	nullable bool
	// convert converts an accepted value as Flux does. It is nil if the type needs no conversion.
	convert conversion
}

type result int

const (
	// doubtful means that the value may have a fault, or that it is not known how Flux sends it.
	doubtful result = iota
	// unchanged means that the value has no fault, and that Flux sends it as it is.
	unchanged
	// changed means that the value has no fault, and that Flux sends it in another form.
	changed
)

// visit returns a value as Flux sends it. It does not accept null.
func (n *node) visit(value any) (any, result) {
	sent, result := value, unchanged
	switch v := value.(type) {
	case map[string]any:
		if n.object == nil || v == nil {
			return nil, doubtful
		}
		if fields, of := n.object.visit(v); of != unchanged {
			sent, result = fields, of
		}
	case []any:
		if n.list == nil || v == nil {
			return nil, doubtful
		}
		if items, of := n.list.visit(v); of != unchanged {
			sent, result = items, of
		}
	default:
		if !n.acceptsScalar(value) {
			return nil, doubtful
		}
	}
	if n.convert != nil && result != doubtful {
		return n.convert.apply(value)
	}
	return sent, result
}

func (n *node) acceptsScalar(value any) bool {
	switch v := value.(type) {
	case string:
		return n.scalars&texts != 0
	case int64:
		return n.scalars&integers != 0 && n.least <= v && v <= n.most
	case bool:
		return n.scalars&booleans != 0
	case float64:
		return n.scalars&floats != 0
	}
	return false
}
