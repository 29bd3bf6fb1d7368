package applycheck

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// requiredField is a field that the API server requires in every object of a type.
type requiredField struct {
	// detail is the API server's text after "Required value".
	detail  string
	missing bool
}

// lacks reports whether a value counts as missing. 0 counts as missing, because Flux sends 0 for a
// missing number.
func (f requiredField) lacks(value any) bool {
	return value == nil || value == int64(0) || isEmpty(value) && !f.missing
}

func (w *typeWalk) missingFields(typ string, of map[string]any, at *fieldPath) {
	rules := requiredFields[typ]
	lacks := false
	for name, rule := range rules {
		lacks = lacks || rule.lacks(of[name])
	}
	if !lacks {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(rules)) {
		if rule := rules[name]; rule.lacks(of[name]) && len(w.missing) < maxFaults {
			w.missing = append(w.missing, field.Required(at.path().Child(name), rule.detail))
		}
	}
}
