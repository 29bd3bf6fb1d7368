package schemas

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
	smd "sigs.k8s.io/structured-merge-diff/v6/schema"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

const (
	atomScalar = 1 << iota
	atomList
	atomMap
)

const (
	refNamed = 1 << iota
	refInlined
	refRelationship
	refNullable
)

const (
	kindNamespaced = 1 << iota
	kindUnpatchable
)

// archive is a decompressed archive. All minors share its strings and types.
type archive struct {
	strings []string
	types   []string
	minors  []*packedMinor
}

type packedMinor struct {
	minor string
	load  func() (*Minor, error)
}

var errArchive = errors.New("schemas: the archive is malformed")

func parseArchive(text string) (a *archive, err error) {
	d := &decoder{text: text, archive: &archive{}}
	defer d.recoverTo(&err)
	d.strings = d.blocks()
	d.types = d.blocks()
	for range d.count() {
		version := d.string()
		major, rest, _ := strings.Cut(version, ".")
		minor, _, _ := strings.Cut(rest, ".")
		types := make([]int, d.count())
		for i := range types {
			types[i] = d.count()
		}
		kinds := make([]Kind, d.count())
		for i := range kinds {
			kinds[i] = d.kind()
		}
		d.minors = append(d.minors, &packedMinor{
			minor: major + "." + minor,
			load:  sync.OnceValues(func() (*Minor, error) { return d.load(version, types, kinds) }),
		})
	}
	return d.archive, nil
}

func (a *archive) load(version string, types []int, kinds []Kind) (m *Minor, err error) {
	m = &Minor{Version: version, kinds: make(map[schema.GroupVersionKind]Kind, len(kinds)), groups: map[string]bool{}, enums: map[field][]string{}}
	for _, kind := range kinds {
		m.kinds[kind.GroupVersionKind] = kind
		m.groups[kind.Group] = true
	}
	defs := make([]smd.TypeDef, 0, len(types))
	for _, i := range types {
		if i >= len(a.types) {
			return nil, errArchive
		}
		d := &decoder{text: a.types[i], archive: a}
		def, err := d.typeDef(m.enums)
		if err != nil {
			return nil, err
		}
		defs = append(defs, def)
	}
	m.parser = &typed.Parser{Schema: smd.Schema{Types: defs}}
	return m, nil
}

// decoder reads a part of an archive. Its methods panic if the part is malformed.
type decoder struct {
	text string
	*archive
}

func (d *decoder) recoverTo(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%w: %v", errArchive, r)
	}
}

func (d *decoder) count() int {
	var n uint64
	for shift := 0; shift < 63; shift += 7 {
		b := d.byte()
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return int(min(n, maxUnpacked))
		}
	}
	panic("a number is too long")
}

func (d *decoder) byte() byte {
	b := d.text[0]
	d.text = d.text[1:]
	return b
}

func (d *decoder) blocks() []string {
	blocks := make([]string, d.count())
	for i := range blocks {
		n := d.count()
		blocks[i], d.text = d.text[:n], d.text[n:]
	}
	return blocks
}

func (d *decoder) string() string { return d.strings[d.count()] }

func (d *decoder) list() []string {
	n := d.count()
	if n == 0 {
		return nil
	}
	values := make([]string, n)
	for i := range values {
		values[i] = d.string()
	}
	return values
}

func (d *decoder) kind() Kind {
	flags := d.byte()
	return Kind{
		GroupVersionKind: schema.GroupVersionKind{Group: d.string(), Version: d.string(), Kind: d.string()},
		Type:             d.string(),
		Namespaced:       flags&kindNamespaced != 0, Unpatchable: flags&kindUnpatchable != 0,
	}
}

func (d *decoder) typeDef(enums map[field][]string) (def smd.TypeDef, err error) {
	defer d.recoverTo(&err)
	def.Name = d.string()
	def.Atom = d.atom()
	for range d.count() {
		name := d.string()
		enums[field{def.Name, name}] = d.list()
	}
	return def, nil
}

func (d *decoder) atom() smd.Atom {
	var a smd.Atom
	has := d.byte()
	if has&atomScalar != 0 {
		scalar := smd.Scalar(d.string())
		a.Scalar = &scalar
	}
	if has&atomList != 0 {
		a.List = &smd.List{ElementRelationship: smd.ElementRelationship(d.string()), Keys: d.list()}
		a.List.ElementType = d.ref()
	}
	if has&atomMap != 0 {
		a.Map = d.object()
	}
	return a
}

func (d *decoder) object() *smd.Map {
	m := &smd.Map{ElementRelationship: smd.ElementRelationship(d.string()), ElementType: d.ref()}
	if n := d.count(); n > 0 {
		m.Fields = make([]smd.StructField, n)
	}
	for i := range m.Fields {
		f := &m.Fields[i]
		f.Name = d.string()
		f.Type = d.ref()
		if value := d.string(); value != "" {
			if err := json.Unmarshal([]byte(value), &f.Default); err != nil {
				panic(err)
			}
		}
	}
	return m
}

func (d *decoder) ref() smd.TypeRef {
	var r smd.TypeRef
	has := d.byte()
	if has&refNamed != 0 {
		name := d.string()
		r.NamedType = &name
	}
	if has&refInlined != 0 {
		r.Inlined = d.atom()
	}
	if has&refRelationship != 0 {
		relationship := smd.ElementRelationship(d.string())
		r.ElementRelationship = &relationship
	}
	r.Nullable = has&refNullable != 0
	return r
}
