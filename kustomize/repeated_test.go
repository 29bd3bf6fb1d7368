package kustomize_test

import (
	"fmt"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

func TestRepeatedFieldIsReported(t *testing.T) {
	const twice = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  x: '1'\n  x: '2'\n"
	many := testkit.ConfigMaps("a") + "data:\n"
	for i := range 40 {
		many += fmt.Sprintf("  k%02d: x\n", i)
	}
	for name, c := range map[string]struct{ content, want string }{
		"nothing is":                {testkit.ConfigMaps("a"), ""},
		"one name in two maps":      {testkit.ConfigMaps("a") + "data: {name: a, x: a}\nbinaryData: {x: a}\n", ""},
		"a name":                    {"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  name: b\n", `the field "name" is defined twice, on line 4 and on line 5`},
		"in the second document":    {testkit.ConfigMaps("a") + "---\n" + twice, `the field "x" is defined twice, on line 11 and on line 12`},
		"behind a list":             {listHead + item("a") + "---\n" + twice, `the field "x" is defined twice in one object`},
		"in an item of a list":      {listHead + "- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: a\n    name: b\n", `the field "name" is defined twice in one object`},
		"one of many":               {many + "  k07: y\n", `the field "k07" is defined twice, on line 13 and on line 46`},
		"none of many":              {many, ""},
		"within a sequence":         {testkit.ConfigMaps("a") + "list:\n- {a: 1}\n- {a: 1, b: 2, a: 3}\n", `the field "a" is defined twice, on line 7 and on line 7`},
		"a number and its own text": {testkit.ConfigMaps("a") + "data: {1: a, '1': b}\n", `the field "1" is defined twice, on line 5 and on line 5`},
	} {
		t.Run(name, func(t *testing.T) {
			var cache kustomize.Cache
			found := cache.File([]byte(c.content))
			if found.Err != nil {
				t.Fatal(found.Err)
			}
			got := ""
			for _, object := range found.Objects {
				if r := object.Repeats; r != nil {
					got += r.String()
				}
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
