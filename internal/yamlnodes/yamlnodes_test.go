package yamlnodes_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/kratix-schedule/kratix-schedule/internal/yamlnodes"
)

func count(content []byte) (nodes int, ok bool) {
	for decoder := yaml.NewDecoder(bytes.NewReader(content)); ; {
		var document yaml.Node
		if err := decoder.Decode(&document); err != nil {
			return nodes, errors.Is(err, io.EOF)
		}
		for _, child := range document.Content {
			nodes += countIn(child)
		}
	}
}

func countIn(node *yaml.Node) int {
	nodes := 1
	for _, child := range node.Content {
		nodes += countIn(child)
	}
	return nodes
}

var seeds = []string{
	"", "a", "a: b", "a:\n  - b\n  - c\n", "- - - a\n", "{a, b: c, ? d}", "[[],[],{}]", "? a\n? b\n", "a: |\n  text: x\n", "a:\n- b\n-\n-\tc\n",
	`{"a":1,"b":[null,"c"]}`, "&a b", "a: !!str\nb:\n", "-\r\n- x\r\n", "a: b: c", "? - a\n: - b\n", ":", "{:,:}",
}

func TestAtMostIsAnUpperBound(t *testing.T) {
	for _, text := range append(seeds, strings.Repeat("[],", 10)) {
		content := []byte("[" + text + "]")
		for _, content := range [][]byte{content, []byte(text)} {
			if nodes, ok := count(content); ok && nodes > yamlnodes.AtMost(content) {
				t.Errorf("%q has %d nodes, the bound is %d", content, nodes, yamlnodes.AtMost(content))
			}
		}
	}
}

func TestAtMostIsCloseToTheCount(t *testing.T) {
	content := []byte(strings.Repeat("- name: value\n  other: text\n  list: [a, b]\n", 100))
	if nodes, _ := count(content); yamlnodes.AtMost(content) > nodes*3/2 {
		t.Errorf("%d nodes, the bound is %d", nodes, yamlnodes.AtMost(content))
	}
}

func FuzzAtMostIsABound(f *testing.F) {
	for _, text := range seeds {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		// Each document after the first begins with a marker, and may have one node more.
		if nodes, ok := count(content); ok && nodes > yamlnodes.AtMost(content)+bytes.Count(content, []byte("---"))+bytes.Count(content, []byte("...")) {
			t.Errorf("%q has %d nodes, the bound is %d", content, nodes, yamlnodes.AtMost(content))
		}
	})
}
