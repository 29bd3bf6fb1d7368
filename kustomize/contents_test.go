package kustomize

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func slowFields(t *testing.T, content string, objects []Object) []map[string]any {
	t.Helper()
	odd := make([]Object, len(objects))
	for i, object := range objects {
		object.plain = false
		odd[i] = object
	}
	return fieldsOf(t, content, odd)
}

func fieldsOf(t *testing.T, content string, objects []Object) []map[string]any {
	t.Helper()
	var fields []map[string]any
	if err := Contents([]byte(content), objects, func(c *Content) { fields = append(fields, c.Fields) }); err != nil {
		t.Fatal(err)
	}
	return fields
}

func TestContentsAreWhatKustomizeWritesOut(t *testing.T) {
	const head = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"
	for _, content := range []string{
		head + "data:\n  yes: y\n  n: 1\n  f: 1.5\n  g: 1.0\n  b: true\n  c: True\n  z: null\n  e:\n  t: 'x'\n  l: [a, 2]\n  d: 2020-01-01\n  o: 0777\n  big: 123456789012345\n",
		"# first\n" + head + "---\n" + head + "data:\n  a: |\n    b\n---\n# nothing\n---\n" + head + "x: 0x10\n",
		head + "data: &a {k: v}\nmore: *a\n",
		"apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {x: 1}}\n",
		`{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "j"}, "n": 1e3}` + "\n",
	} {
		file := (&Cache{}).File([]byte(content))
		if file.Err != nil {
			t.Fatal(file.Err)
		}
		got := fieldsOf(t, content, file.Objects)
		if len(got) != len(file.Objects) || len(got) == 0 {
			t.Errorf("%d objects, %d contents in\n%s", len(file.Objects), len(got), content)
		}
		if diff := cmp.Diff(slowFields(t, content, file.Objects), got); diff != "" {
			t.Errorf("%s\n%s", content, diff)
		}
	}
}

func TestContentHasTheLinesOfItsFields(t *testing.T) {
	content := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n# b\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\nitems2:\n- a: 1\n- b:\n    c: 1\n"
	file := (&Cache{}).File([]byte(content))
	var lines []int
	err := Contents([]byte(content), file.Objects, func(c *Content) {
		lines = append(lines, c.Line, c.LineOf("metadata", "name"), c.LineOf("items2", 1, "b", "c"), c.LineOf("items2", 7), c.LineOf("metadata", "labels", "x"))
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{1, 3, 1, 1, 3, 6, 9, 13, 10, 8}, lines); diff != "" {
		t.Error(diff)
	}
}
