package reconcile

import (
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/report"
)

func TestAFieldThatIsThereTwiceIsToldAndHoldsNothing(t *testing.T) {
	const twice = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  x: '1'\n  x: '2'\n"
	w := newWorld(t)
	w.putFiles("a", map[string]string{"map.yaml": twice, "notes.txt": twice})
	result := w.round()
	w.expect(result, map[string]report.State{"a": report.Placed}, "KS007")
	f := result.Findings[0]
	if f.Place.Object != "Work default/a" || f.Place.File != "map.yaml" || f.Place.Line != 6 ||
		!strings.Contains(f.Message, `a: the field "x" is there twice, on line 5 and on line 6`) {
		t.Errorf("it says %s: %s", f.Place, f.Message)
	}
	w.expect(w.round(), map[string]report.State{"a": report.Unchanged}, "KS007")
	w.putFiles("a", map[string]string{"map.yaml": strings.Replace(twice, "  x: '2'\n", "", 1)})
	w.expect(w.round(), map[string]report.State{"a": report.Placed})
}
