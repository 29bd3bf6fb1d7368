package dedupe

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

const (
	shownDifferences = 4
	shownValue       = 40
)

// difference returns the end of a message that explains why two copies of an object are not shared,
// or "".
func (c *copies) difference(later, first *entry) string {
	if c.policy != Share || first.of == nil {
		return ""
	}
	var a, b any
	if json.Unmarshal(c.canonical(later), &a) != nil || json.Unmarshal(c.canonical(first), &b) != nil {
		return "" // at least one of the copies cannot be compared
	}
	differences := differ("", a, b)
	if len(differences) == 0 {
		if !c.separable(later) || !c.separable(first) {
			return ", with the same content; but " + kustomize.ErrInseparable.Error()
		}
		return ""
	}
	more := ""
	if len(differences) > shownDifferences {
		more = fmt.Sprintf(", and %d more", len(differences)-shownDifferences)
		differences = differences[:shownDifferences]
	}
	var shown []string
	for _, d := range differences {
		shown = append(shown, d.show(later.id.object.Kind == "Secret"))
	}
	return ", with other content: " + strings.Join(shown, ", ") + more
}

type fieldDifference struct {
	path         string
	later, first any
}

func (d fieldDifference) show(secret bool) string {
	if secret {
		return d.path
	}
	return fmt.Sprintf("%s is %s, not %s", d.path, value(d.later), value(d.first))
}

func value(v any) string {
	if v == nil {
		return "missing"
	}
	text, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	if len(text) > shownValue {
		return string(text[:shownValue]) + "..."
	}
	return string(text)
}

func differ(path string, a, b any) []fieldDifference {
	if reflect.DeepEqual(a, b) {
		return nil
	}
	var found []fieldDifference
	x, xOK := a.(map[string]any)
	y, yOK := b.(map[string]any)
	if xOK && yOK {
		fields := maps.Clone(x)
		maps.Copy(fields, y)
		for _, field := range slices.Sorted(maps.Keys(fields)) {
			found = append(found, differ(strings.TrimPrefix(path+"."+field, "."), x[field], y[field])...)
		}
		return found
	}
	p, pOK := a.([]any)
	q, qOK := b.([]any)
	if pOK && qOK && len(p) == len(q) {
		for i := range p {
			found = append(found, differ(path+"["+strconv.Itoa(i)+"]", p[i], q[i])...)
		}
		return found
	}
	return []fieldDifference{{path, a, b}}
}
