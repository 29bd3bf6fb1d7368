package kustomize

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func manyFiles(n int) [][]byte {
	files := make([][]byte, n)
	for i := range files {
		files[i] = fmt.Appendf(nil, "%sapiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: d%d\n  labels: {n: '%d', o: \"x\"}\nspec:\n  replicas: %d\n  template:\n    spec:\n      containers:\n      - name: c\n        image: i\n        ports: [{containerPort: 80}]\n        args: [%s]\n", []string{"", "# first\n\n", "---\n# first\n"}[i%3], i, i, i, []string{"a", "'*'", "a, # b\n          c"}[i%3])
	}
	return files
}

func visited(t *testing.T, c *Cache, files [][]byte) (fields []map[string]any, lines []int) {
	t.Helper()
	for _, content := range files {
		err := c.Contents(content, c.File(content).Objects, func(c *Content) {
			fields = append(fields, c.Fields)
			lines = append(lines, c.Line, c.LineOf("spec", "replicas"), c.LineOf("spec", "template", "spec", "containers", 0, "ports", 0))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return fields, lines
}

func TestKeptNodesHaveTheContentsOfTheFiles(t *testing.T) {
	files := manyFiles(200)
	parsed, kept := &Cache{}, &Cache{KeepNodes: 1 << 20}
	kept.Load(files)
	if len(kept.kept.byFile) < len(files)/2 {
		t.Fatalf("nodes of %d files are kept", len(kept.kept.byFile))
	}
	wantFields, wantLines := visited(t, parsed, files)
	for range 2 {
		fields, lines := visited(t, kept, files)
		if diff := cmp.Diff(wantFields, fields); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(wantLines, lines); diff != "" {
			t.Error(diff)
		}
	}
	if kept.DropNodes(); len(kept.kept.byFile) != 0 || kept.kept.count != 0 {
		t.Errorf("%d nodes of %d files are kept", kept.kept.count, len(kept.kept.byFile))
	}
}

func TestKeptNodesAreBounded(t *testing.T) {
	const limit = 1000
	c := &Cache{KeepNodes: limit}
	c.Load(manyFiles(200))
	if n := c.kept.count; n == 0 || n > limit {
		t.Errorf("%d nodes are kept", n)
	}
	c.DropNodes()
	if n := c.kept.count; n != 0 {
		t.Errorf("%d nodes are kept after DropNodes", n)
	}
}
