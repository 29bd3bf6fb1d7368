package accept

import (
	"maps"
	"slices"
)

// object is the compiled type of maps: those with declared fields, and those with any keys.
type object struct {
	// fields are the declared fields; if Flux decodes the object as a struct, those that the struct
	// has, too.
	fields map[string]*field
	// others is the type of other keys; nil if no others are accepted.
	others *node
	// decoded means that Flux decodes the object as a struct and encodes it again.
	decoded bool
	// fills are the fields that a struct has when it is encoded, even if they were not there.
	fills    []*fill
	required []Requirement
}

// field is a declared field.
type field struct {
	*node
	// omitEmpty means that Flux leaves the field out if it is empty, omitZero that it may do so
	// for other values.
	omitEmpty, omitZero bool
	// fill is the value that Flux sends if the field is missing or null; nil if it sends none.
	fill *fill
	// values are those that the field may have; nil if it may have any. The empty string is
	// accepted unless evenEmpty is true.
	values    []string
	evenEmpty bool
}

// fill is a field with the zero value that Flux sends if the field is missing.
type fill struct {
	name  string
	value any
	// accepted means that the value violates no rule.
	accepted bool
}

// visit returns an object as Flux sends it. A struct's fields are visited in the order of the
// map, since it does not matter what is found first.
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

// complete adds the fields that Flux fills in, and checks that none is missing.
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

// visit visits the value of a field that is not null, and reports whether it is accepted.
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

// supports reports whether a string, or a list of strings, has only values that the field may
// have. Other values are not restricted.
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

// IsEmpty reports whether Go's omitempty leaves out a value, if the value is not that of a struct or
// a pointer, which are never empty.
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

// edited are the fields of an object, copied before the first change.
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

// setFill sets a field that is missing or null to the value that Flux sends for it, and reports
// whether that is accepted.
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
