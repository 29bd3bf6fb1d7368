package schemas

import (
	"bytes"
	"cmp"
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	smd "sigs.k8s.io/structured-merge-diff/v6/schema"
)

// Source describes one minor, as read from the documents of k8s.io/kubernetes.
type Source struct {
	// Version is the version of k8s.io/kubernetes, such as "1.36.3".
	Version string
	// Types are all types. Kinds refer to them by name.
	Types []smd.TypeDef
	Kinds []Kind
	// Enums are the allowed values of string fields, by the names of the type and the field.
	Enums map[string]map[string][]string
}

// Encode returns the archive of sources, one for each Kubernetes minor. The archive does not depend
// on the order of types, kinds and fields.
func Encode(sources []Source) ([]byte, error) {
	e := &encoder{strings: map[string]int{}, types: map[string]int{}}
	var minors []byte
	minors = binary.AppendUvarint(minors, uint64(len(sources)))
	for _, source := range sources {
		minors = e.minor(minors, source)
	}
	if e.err != nil {
		return nil, e.err
	}
	var text []byte
	text = binary.AppendUvarint(text, uint64(len(e.stringList)))
	for _, s := range e.stringList {
		text = binary.AppendUvarint(text, uint64(len(s)))
		text = append(text, s...)
	}
	text = binary.AppendUvarint(text, uint64(len(e.typeList)))
	for _, t := range e.typeList {
		text = binary.AppendUvarint(text, uint64(len(t)))
		text = append(text, t...)
	}
	text = append(text, minors...)
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

type encoder struct {
	strings    map[string]int
	stringList []string
	types      map[string]int
	typeList   []string
	err        error
}

func (e *encoder) minor(out []byte, source Source) []byte {
	out = e.text(out, source.Version)
	types := slices.Clone(source.Types)
	slices.SortFunc(types, func(a, b smd.TypeDef) int { return cmp.Compare(a.Name, b.Name) })
	out = binary.AppendUvarint(out, uint64(len(types)))
	for _, t := range types {
		body := string(e.typeDef(t, source.Enums[t.Name]))
		if _, known := e.types[body]; !known {
			e.types[body] = len(e.typeList)
			e.typeList = append(e.typeList, body)
		}
		out = binary.AppendUvarint(out, uint64(e.types[body]))
	}
	kinds := slices.Clone(source.Kinds)
	slices.SortFunc(kinds, func(a, b Kind) int { return cmp.Compare(a.String(), b.String()) })
	out = binary.AppendUvarint(out, uint64(len(kinds)))
	for _, kind := range kinds {
		var flags byte
		if kind.Namespaced {
			flags |= kindNamespaced
		}
		if kind.Unpatchable {
			flags |= kindUnpatchable
		}
		out = append(out, flags)
		for _, s := range []string{kind.Group, kind.Version, kind.Kind, kind.Type} {
			out = e.text(out, s)
		}
	}
	return out
}

func (e *encoder) text(out []byte, s string) []byte {
	i, known := e.strings[s]
	if !known {
		i = len(e.stringList)
		e.strings[s] = i
		e.stringList = append(e.stringList, s)
	}
	return binary.AppendUvarint(out, uint64(i))
}

func (e *encoder) typeDef(t smd.TypeDef, enums map[string][]string) []byte {
	out := e.atom(e.text(nil, t.Name), t.Atom)
	names := slices.Sorted(maps.Keys(enums))
	out = binary.AppendUvarint(out, uint64(len(names)))
	for _, name := range names {
		out = e.list(e.text(out, name), slices.Sorted(slices.Values(enums[name])))
	}
	return out
}

func (e *encoder) list(out []byte, values []string) []byte {
	out = binary.AppendUvarint(out, uint64(len(values)))
	for _, value := range values {
		out = e.text(out, value)
	}
	return out
}

func (e *encoder) atom(out []byte, a smd.Atom) []byte {
	var has byte
	if a.Scalar != nil {
		has |= atomScalar
	}
	if a.List != nil {
		has |= atomList
	}
	if a.Map != nil {
		has |= atomMap
	}
	out = append(out, has)
	if a.Scalar != nil {
		out = e.text(out, string(*a.Scalar))
	}
	if a.List != nil {
		out = e.list(e.text(out, string(a.List.ElementRelationship)), a.List.Keys)
		out = e.ref(out, a.List.ElementType)
	}
	if a.Map != nil {
		out = e.object(out, a.Map)
	}
	return out
}

func (e *encoder) object(out []byte, m *smd.Map) []byte {
	if len(m.Unions) > 0 {
		e.err = fmt.Errorf("unions are not supported")
	}
	out = e.ref(e.text(out, string(m.ElementRelationship)), m.ElementType)
	fields := slices.Clone(m.Fields)
	slices.SortFunc(fields, func(a, b smd.StructField) int { return cmp.Compare(a.Name, b.Name) })
	out = binary.AppendUvarint(out, uint64(len(fields)))
	for _, f := range fields {
		out = e.ref(e.text(out, f.Name), f.Type)
		value := ""
		if f.Default != nil {
			encoded, err := json.Marshal(f.Default)
			if err != nil {
				e.err = err
			}
			value = string(encoded)
		}
		out = e.text(out, value)
	}
	return out
}

func (e *encoder) ref(out []byte, r smd.TypeRef) []byte {
	var has byte
	if r.NamedType != nil {
		has |= refNamed
	}
	if r.Inlined != (smd.Atom{}) {
		has |= refInlined
	}
	if r.ElementRelationship != nil {
		has |= refRelationship
	}
	if r.Nullable {
		has |= refNullable
	}
	out = append(out, has)
	if r.NamedType != nil {
		out = e.text(out, *r.NamedType)
	}
	if r.Inlined != (smd.Atom{}) {
		out = e.atom(out, r.Inlined)
	}
	if r.ElementRelationship != nil {
		out = e.text(out, string(*r.ElementRelationship))
	}
	return out
}
