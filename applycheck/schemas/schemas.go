// Package schemas contains the types and kinds that the API servers of some Kubernetes minors
// serve, in the form that the typed check of server-side apply uses. They are generated from the
// OpenAPI and discovery documents of k8s.io/kubernetes.
package schemas

import (
	"bytes"
	"compress/flate"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

//go:generate go run ./gen

// data is the archive that gen writes.
//
//go:embed schemas.bin
var data []byte

const maxUnpacked = 16 << 20

// Kind is a kind that the API server of a minor serves.
type Kind struct {
	schema.GroupVersionKind
	// Namespaced means that objects of the kind have a namespace.
	Namespaced bool
	// Unpatchable means that objects of the kind cannot be applied.
	Unpatchable bool
	// Type is the name of the kind's type.
	Type string
}

// Minor describes the API of a Kubernetes minor, including the API versions that are disabled by
// default. It is safe for concurrent use.
type Minor struct {
	// Version is the version of Kubernetes that the data is from, such as "1.36.3".
	Version string
	kinds   map[schema.GroupVersionKind]Kind
	groups  map[string]bool
	parser  *typed.Parser
	enums   map[field][]string
}

type field struct{ typ, name string }

// Kind returns a kind, and reports whether the minor serves it.
func (m *Minor) Kind(gvk schema.GroupVersionKind) (Kind, bool) {
	kind, served := m.kinds[gvk]
	return kind, served
}

// HasGroup reports whether the minor serves an API group. The core group is "".
func (m *Minor) HasGroup(group string) bool { return m.groups[group] }

// Kinds returns all kinds, in no particular order.
func (m *Minor) Kinds() []Kind {
	kinds := make([]Kind, 0, len(m.kinds))
	for _, kind := range m.kinds {
		kinds = append(kinds, kind)
	}
	return kinds
}

// Type returns the type with a name, such as Kind.Type.
func (m *Minor) Type(name string) typed.ParseableType { return m.parser.Type(name) }

// Enum returns the values that a string field of a type may have, or nil if every value is allowed.
func (m *Minor) Enum(typ, name string) []string { return m.enums[field{typ, name}] }

var unpack = sync.OnceValues(func() (*archive, error) { return readArchive(data) }) //nolint:gochecknoglobals // data never changes

// Minors returns the embedded minors in ascending order, such as "1.33".
func Minors() ([]string, error) {
	a, err := unpack()
	if err != nil {
		return nil, err
	}
	minors := make([]string, 0, len(a.minors))
	for _, m := range a.minors {
		minors = append(minors, m.minor)
	}
	return minors, nil
}

// Load returns an embedded minor, such as "1.36". It returns an error if the minor is not embedded.
func Load(minor string) (*Minor, error) {
	a, err := unpack()
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(a.minors, func(m *packedMinor) bool { return m.minor == minor })
	if i < 0 {
		return nil, fmt.Errorf("the schemas of Kubernetes %s are not embedded", minor)
	}
	return a.minors[i].load()
}

func readArchive(packed []byte) (*archive, error) {
	text, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), maxUnpacked+1))
	if err != nil {
		return nil, fmt.Errorf("schemas: %w", err)
	}
	if len(text) > maxUnpacked {
		return nil, fmt.Errorf("schemas: more than %d MiB", maxUnpacked>>20)
	}
	return parseArchive(string(text))
}
