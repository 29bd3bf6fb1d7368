package accept

// node is a compiled type. The zero node accepts no value.
type node struct {
	scalars scalars
	// least and most are the limits of integers.
	least, most int64
	list        *list
	object      *object
	// nullable means that null is accepted: the schema of server-side apply accepts it for every
	// type that it has.
	nullable bool
	// convert converts an accepted value as Flux does; nil if Flux does not change it.
	convert conversion
}

// result is the result of a visit.
type result int

const (
	// doubtful means that the value may have a fault, or that it is not known how Flux sends it.
	doubtful result = iota
	// unchanged means that the value has no fault, and that Flux sends it as it is.
	unchanged
	// changed means that the value has no fault, and that Flux sends it in another form.
	changed
)

// visit returns a value as Flux sends it. Null is accepted only where the object that has it
// knows that it is.
func (n *node) visit(value any) (any, result) {
	switch v := value.(type) {
	case string:
		if n.scalars&texts == 0 {
			return nil, doubtful
		}
	case int64:
		if n.scalars&integers == 0 || v < n.least || v > n.most {
			return nil, doubtful
		}
	case bool:
		if n.scalars&booleans == 0 {
			return nil, doubtful
		}
	case float64:
		if n.scalars&floats == 0 {
			return nil, doubtful
		}
	case map[string]any:
		if n.object == nil || v == nil {
			return nil, doubtful
		}
		if sent, result := n.object.visit(v); result != unchanged {
			return sent, result
		}
	case []any:
		if n.list == nil || v == nil {
			return nil, doubtful
		}
		if sent, result := n.list.visit(v); result != unchanged {
			return sent, result
		}
	default:
		return nil, doubtful
	}
	if n.convert != nil {
		return n.convert.apply(value)
	}
	return value, unchanged
}
