package applycheck

import (
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

func (w *typeWalk) unsupported(values []string, value any, at *fieldPath) {
	if values == nil {
		return
	}
	switch v := value.(type) {
	case string:
		if !hasVariable(v) && !slices.Contains(values, v) && len(w.values) < maxFaults {
			w.values = append(w.values, field.NotSupported(at.path(), v, values))
		}
	case []any:
		for i, item := range v {
			if _, text := item.(string); text {
				w.unsupported(values, item, &fieldPath{parent: at, index: i, item: true})
			}
		}
	}
}
