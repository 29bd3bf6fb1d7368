// Package accept proves that an object of a built-in kind has no fault of its type, and converts it
// to the form that Flux sends. It walks the object once, along types that it has compiled from the
// schema of server-side apply and from the Go type to which Flux decodes the object.
//
// Two libraries do the same in two walks, with allocations: structured-merge-diff checks the types
// of an object as server-side apply does, and the converter of apimachinery decodes the object to
// its Go type and encodes it again, as Flux does. This package accepts an object only if both
// libraries would certainly accept it. Other objects must be checked with the libraries, because
// this package reports no faults.
package accept

import (
	"reflect"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kratix-schedule/kratix-schedule/applycheck/schemas"
)

// Rules are the rules about built-in types that their schemas do not contain. Types are identified
// by their names in the schemas.
type Rules struct {
	// GoType returns the Go type to which Flux decodes the objects of a kind, or nil if Flux sends
	// the objects as they are.
	GoType func(schema.GroupVersionKind) reflect.Type
	// Values returns the allowed values of a type's field that is a string or a list of strings, or
	// nil if every value is allowed. An empty string field is also allowed unless evenEmpty is
	// true.
	Values func(typ, name string) (values []string, evenEmpty bool)
	// Required returns the fields that a type requires.
	Required func(typ string) []Requirement
	// Exempt reports whether Values and Required do not apply to a type and the types of its
	// fields.
	Exempt func(typ string) bool
}

// Requirement is a field that a type requires.
type Requirement struct {
	Name string
	// Lacks reports whether a value counts as missing. The value of an absent field is nil.
	Lacks func(value any) bool
}

// Types are the compiled types of a Kubernetes minor. They are compiled when the first object of
// a kind is checked. Types are safe for concurrent use.
type Types struct {
	minor *schemas.Minor
	rules Rules
	mu    sync.Mutex
	kinds map[schema.GroupVersionKind]*object
	nodes map[nodeKey]*node
}

// New returns the types of a minor. Each is compiled when it is first needed.
func New(minor *schemas.Minor, rules Rules) *Types {
	return &Types{minor: minor, rules: rules, kinds: map[schema.GroupVersionKind]*object{}, nodes: map[nodeKey]*node{}}
}

// Sent returns an object of a kind as Flux sends it. accepted is true if the object certainly fits
// the schema of its kind, can be decoded to its Go type, and violates none of the Rules. If
// accepted is false, nothing is known about the object. fields must have no status, unless Flux
// sends it. Neither fields nor the result may be modified, because they share unchanged parts.
func (t *Types) Sent(kind schemas.Kind, fields map[string]any) (sent map[string]any, accepted bool) {
	if fields == nil {
		return nil, false
	}
	sent, result := t.kind(kind).visit(fields)
	return sent, result != doubtful
}

func (t *Types) kind(kind schemas.Kind) *object {
	t.mu.Lock()
	defer t.mu.Unlock()
	compiled := t.kinds[kind.GroupVersionKind]
	if compiled == nil {
		compiled = t.compile(kind)
		t.kinds[kind.GroupVersionKind] = compiled
	}
	return compiled
}
