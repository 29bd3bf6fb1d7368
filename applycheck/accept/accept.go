// Package accept checks the types of objects of built-in kinds, and converts the objects to the
// form that Flux sends.
//
// It is faster than structured-merge-diff and apimachinery's converter, which do the same, but
// reports no faults. An object that it does not accept must be checked with these libraries.
package accept

import (
	"reflect"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kratix-schedule/kratix-schedule/applycheck/schemas"
)

// Rules are rules about built-in types that the schemas do not contain. A parameter typ is the name
// of a type in the schemas.
type Rules struct {
	// GoType returns the Go type to which Flux decodes the objects of a kind, or nil if Flux sends
	// the objects as they are.
	GoType func(schema.GroupVersionKind) reflect.Type
	// Values returns the allowed strings in a field of a type, or nil if all are allowed. An empty
	// string field is also allowed unless evenEmpty is true.
	Values func(typ, name string) (values []string, evenEmpty bool)
	// Required returns the fields that a type requires.
	Required func(typ string) []Requirement
	// Exempt reports whether a type and the types of its fields are exempt from Values and
	// Required.
	Exempt func(typ string) bool
}

// Requirement is a field that a type requires.
type Requirement struct {
	Name string
	// Lacks reports whether a value counts as missing. The value of an absent field is nil.
	Lacks func(value any) bool
}

// Types are the compiled types of a Kubernetes minor. They are safe for concurrent use.
type Types struct {
	minor *schemas.Minor
	rules Rules
	mu    sync.Mutex
	kinds map[schema.GroupVersionKind]*object
	nodes map[nodeKey]*node
}

// New returns the types of a minor.
func New(minor *schemas.Minor, rules Rules) *Types {
	return &Types{minor: minor, rules: rules, kinds: map[schema.GroupVersionKind]*object{}, nodes: map[nodeKey]*node{}}
}

// Sent returns an object of a kind as Flux sends it, and reports whether the object is accepted. An
// accepted object fits the schema of its kind, can be decoded to its Go type, and violates none of
// the Rules. An object that is not accepted may be valid too. fields must have no status, unless
// Flux sends it. Neither fields nor the result may be modified.
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
