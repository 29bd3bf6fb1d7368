package accept

import (
	"maps"
	"slices"
)

// object is the compiled type of a map, with declared fields or with any keys.
type object struct {
	// fields are the declared fields without those that Flux drops.
	fields map[string]*field
	// others is the type of the values of all other keys. It is nil if other keys are not accepted.
	others *node
	// decoded means that Flux decodes the object to a struct and encodes it again.
	decoded bool
	// fills are the fields that Flux adds if they are missing.
	fills    []*fill
	required []Requirement
}

type field struct {
	*node
	// omitEmpty means that Flux omits the field if it is empty. omitZero means that Flux may omit
	// the field for other values too.
	omitEmpty, omitZero bool
	// fill is the value that Flux sends if the field is missing or null. It is nil if Flux sends no
	// value.
	fill *fill
	// values are the allowed values, or nil if every value is allowed. An empty string field is
	// also allowed unless evenEmpty is true.
	values    []string
	evenEmpty bool
}

// fill is a field that Flux sends with its zero value if it is missing.
type fill struct {
	name  string
	value any
	// accepted means that the value violates no rule.
	accepted bool
}

// visit returns an object as Flux sends it.
func (o *object) visit(fields map[string]any) (map[string]any, result) {
	sent := edited{fields: fields}
	for name, value := range fields {
		f := o.fields[name]
		switch {
		case f == nil:
			if o.others == nil {
				return nil, doubtful
			}
			below, result := o.others.visit(value)
			if result == doubtful {
				return nil, doubtful
			}
			if result == changed {
				sent.set(name, below)
			}
		case value == nil:
			if !f.nullable || o.decoded && !sent.setFill(name, f.fill) {
				return nil, doubtful
			}
		case !f.visit(name, value, &sent):
			return nil, doubtful
		}
	}
	return o.complete(fields, &sent)
}

// complete adds the fields that Flux fills in, and checks that no required field is missing.
func (o *object) complete(fields map[string]any, sent *edited) (map[string]any, result) {
	for _, missing := range o.fills {
		if _, has := fields[missing.name]; !has && !sent.setFill(missing.name, missing) {
			return nil, doubtful
		}
	}
	for _, r := range o.required {
		if r.Lacks(sent.fields[r.Name]) {
			return nil, doubtful
		}
	}
	if sent.copied {
		return sent.fields, changed
	}
	return fields, unchanged
}

func (f *field) visit(name string, value any, sent *edited) bool {
	below, result := f.node.visit(value)
	switch {
	case result == doubtful || f.omitZero:
		return false
	case f.omitEmpty && IsEmpty(below):
		sent.remove(name)
		return true
	case result == changed:
		sent.set(name, below)
	}
	return f.values == nil || f.supports(below)
}

// supports reports whether a string or the strings of a list are allowed. It returns true for other
// types.
func (f *field) supports(value any) bool {
	switch v := value.(type) {
	case string:
		return v == "" && !f.evenEmpty || slices.Contains(f.values, v)
	case []any:
		for _, item := range v {
			if text, isText := item.(string); isText && !slices.Contains(f.values, text) {
				return false
			}
		}
	}
	return true
}

// IsEmpty reports whether Go's omitempty omits a value. The Go type of the field must be neither a
// struct nor a pointer.
func IsEmpty(value any) bool {
	switch v := value.(type) {
	case string:
		return v == ""
	case bool:
		return !v
	case int64:
		return v == 0
	case float64:
		return v == 0
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

// edited contains the fields of an object. It copies them before the first change.
type edited struct {
	fields map[string]any
	copied bool
}

func (e *edited) copy() {
	if !e.copied {
		e.fields, e.copied = maps.Clone(e.fields), true
	}
}

func (e *edited) set(name string, value any) {
	e.copy()
	e.fields[name] = value
}

func (e *edited) remove(name string) {
	e.copy()
	delete(e.fields, name)
}

// setFill sets a missing or null field to its fill, or removes the field if f is nil. It reports
// whether the result is accepted.
func (e *edited) setFill(name string, f *fill) bool {
	if f == nil {
		e.remove(name)
		return true
	}
	if value, has := e.fields[name]; f.value != nil || !has || value != nil {
		e.set(name, f.value)
	}
	return f.accepted
}
