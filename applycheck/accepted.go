package applycheck

import (
	"reflect"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kratix-schedule/kratix-schedule/applycheck/accept"
	"github.com/kratix-schedule/kratix-schedule/applycheck/schemas"
)

// sentBy returns an object of a built-in kind as Flux sends it. If accepted is true, checkTyped and
// checkFields would find no fault.
func (c *check) sentBy(kind schemas.Kind, fields map[string]any) (sent sentObject, accepted bool) {
	fields = sentFields(kind.GroupVersionKind, fields)
	if applied, accepted := c.Memory.types(c.minor).Sent(kind, fields); accepted {
		return sentObject{fields: fields, applied: applied, typed: true}, true
	}
	return sentBy(kind.GroupVersionKind, fields), false
}

func (c *check) applied(o *objectFacts, fields map[string]any) map[string]any {
	if kind, builtin := c.minor.Kind(o.GroupVersionKind); builtin {
		sent, _ := c.sentBy(kind, fields)
		return sent.applied
	}
	return sentBy(o.GroupVersionKind, fields).applied
}

func acceptRules(minor *schemas.Minor) accept.Rules {
	return accept.Rules{
		GoType: func(gvk schema.GroupVersionKind) reflect.Type {
			object := goObject(gvk)
			if object == nil {
				return nil
			}
			return reflect.TypeOf(object).Elem()
		},
		Values: func(typ, name string) ([]string, bool) { return minor.Enum(typ, name), emptyEnums[typ][name] },
		Required: func(typ string) (all []accept.Requirement) {
			for name, rule := range requiredFields[typ] {
				all = append(all, accept.Requirement{Name: name, Lacks: rule.lacks})
			}
			return all
		},
		Exempt: isStatus,
	}
}
