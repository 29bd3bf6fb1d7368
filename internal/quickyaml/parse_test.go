package quickyaml

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	sigsyaml "sigs.k8s.io/yaml"
)

var simple = []string{
	"a: b\n",
	"---\na: b\n",
	"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n  labels: {}\ndata:\n  a: |\n    line\n\n      more\n    end\n  b: |-\n    x\n\nlist:\n- a\n- b: c\n  d:\n  - 1\n- \"q\"\nempty: []\n",
	"a:\n  - b: 'c'\n    d: true\n  -   e: null\nf: 5058f1af8388633f609cadb75a75dc9d\ng: 1.2.3\nh: 512Mi\n",
	"a: nginx:1.2\nb: /path/x y\nc: \"a: b # c\"\nd: ''\n",
	"a:   b\n\nc:\n\n    d: 0\n",
	"a: x, [y] {z}\n", "a: .\nb:\n- .\n", "a: {b: c, d: [1, \"x\", 'y', {e: true}],f: {}}\n", "a: [ ]\n", "a:\n- {b: c d, e: 5}\n- [f]\n",
	"a: |\n    b\nc: d\n",
	"a:\n- |\n  b\n- c\n",
	"a:\n  - |-\n   b\n",
	"# c\na: b\n", "---\n# c\n\na: b\n", "a: b # c\n", "a: # c\n  b: c\n", "a:\n# c\n- b # c\n  # c\n- c: d # c\n  # c: d\n  e: f\n",
	"a: \"b\" # c\nc: 'd'   # e\nf: 1 # g\nh: {} # i\n# j\n", "a: b#c\nd: \"#\"\n", "# c\na: |\n  b\n  # c\nd: e # f\n", "a: |\n # b\n", "a: |\n  b\n# c\n", "a:\n  b: |-\n    c\n  # d\n\n# e\nf: g\n",
}

func TestParseReturnsTheNodesOfTheLibrary(t *testing.T) {
	for _, text := range simple {
		if !compare(t, []byte(text)) {
			t.Errorf("%q is rejected", text)
		}
	}
}

func TestParseRejectsWhatIsNotSimple(t *testing.T) {
	for _, text := range []string{
		"", "\n", "a", "a: b", "a:\n", "a: b\na: c\n", "a: # c\n", "# c\n", "a:# c\n  b: c\n", "a: \"b\"# c\n", "a: | # c\n  b\n", "a:\n# c\n- |\n  b\n", "a: {b: c} # d\n", "- # c\n  a\n", "a: b # c\n  d\n", "a: yes\n", "on: b\n", "a: 0755\n", "a: 1e3\n", "a: 1_0\n",
		"a: 2001-01-01\n", "a: 0x1f\n", "a: *b\n", "a: &b c\n", "a: !t b\n", "a: \"\\n\"\n", "a: 'b''c'\n", "a: >\n  b\n", "a: |+\n  b\n", "a: |\n\n  b\n",
		"a: b\n  c\n", "a:\n- b\n  c\n", "a: b\n c: d\n", "a:\n - b\n- c\n", "a:\n  b: c\n d: e\n", "a: b: c\n", "a: b:\n", "a: {b}\n", "a: {b: c, b: d}\n", "a: {b: c,}\n", "a: [b\n", "a: [b]]\n", "a: [b] c\n", "a: {b: c: d}\n", "a: {b:c}\n", "a: [b: c]\n", "a: ['b'c]\n", "a: [,]\n", "a: [yes]\n", "a: {b: }\n", "a: {\n  b: c}\n", "a:\n- - b\n", "a:\n-\n  b: c\n",
		"a: b\n---\nc: d\n", "a: b\n...\n", "a: \x00\n", "a: \u00e9\n", "a: b\r\n", "a:\tb\n", "<<: b\n", "- a\n", " a: b\n", "a: b \n", "a: \n  b: c\n", "a:b\n",
		"a: |\n  b\n    \n  c\n", "a: |\n  b\n c\n", "a: .inf\n", "a: ~\n", "a: -1\n", "a: 1.5\n", "a: 12:30\n", "\na: b\n",
		strings.Repeat("k", 300) + ": b\n", nestedTo(60), manyKeys(101),
	} {
		if _, ok := Parse([]byte(text)); ok {
			t.Errorf("%.60q is accepted", text)
		}
	}
}

func nestedTo(depth int) string {
	var all strings.Builder
	for i := range depth {
		all.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return all.String() + strings.Repeat(" ", depth) + "b: c\n"
}

func manyKeys(n int) string {
	var all strings.Builder
	for i := range n {
		all.WriteString("k" + strings.Repeat("x", i) + ": b\n")
	}
	return all.String()
}

// compare reports whether Parse accepts a text. It fails the test if the results differ from those
// of the libraries.
func compare(t *testing.T, text []byte) bool {
	t.Helper()
	got, ok := Parse(text)
	if !ok {
		return false
	}
	var want yaml.Node
	if err := yaml.Unmarshal(text, &want); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	dropComments(t, &want)
	if !reflect.DeepEqual(*got, want) {
		a, b := difference(got, &want)
		t.Fatalf("%q:\ngot  %+v\nwant %+v", text, a, b)
	}
	plain, ok := JSON(text)
	wantJSON, err := sigsyaml.YAMLToJSONStrict(text)
	if err != nil || !ok {
		t.Fatalf("%q: %v, %v", text, err, ok)
	}
	var a any
	if err := json.Unmarshal(plain, &a); err != nil {
		t.Fatalf("%q: %s: %v", text, plain, err)
	}
	if sorted, _ := json.Marshal(a); !bytes.Equal(sorted, reencoded(t, wantJSON)) {
		t.Fatalf("%q:\ngot  %s\nwant %s", text, plain, wantJSON)
	}
	return true
}

// dropComments fails the test if a comment belongs to a literal block scalar or to a value within a
// flow style.
func dropComments(t *testing.T, node *yaml.Node) {
	t.Helper()
	for _, child := range node.Content {
		isCommented := child.HeadComment != "" || child.LineComment != "" || child.FootComment != ""
		if isCommented && (node.Style&yaml.FlowStyle != 0 || child.Style&yaml.LiteralStyle != 0) {
			t.Fatalf("comment at %+v", *child)
		}
		dropComments(t, child)
	}
	node.HeadComment, node.LineComment, node.FootComment = "", "", ""
}

func reencoded(t *testing.T, text []byte) []byte {
	t.Helper()
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// difference returns the first two nodes that differ, without their content.
func difference(a, b *yaml.Node) (one, other yaml.Node) {
	one, other = *a, *b
	one.Content, other.Content = nil, nil
	if !reflect.DeepEqual(one, other) || len(a.Content) != len(b.Content) {
		return one, other
	}
	for i := range a.Content {
		if !reflect.DeepEqual(a.Content[i], b.Content[i]) {
			return difference(a.Content[i], b.Content[i])
		}
	}
	return one, other
}

func FuzzParse(f *testing.F) {
	for _, text := range simple {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) { compare(t, text) })
}

var fragments = []string{
	"a: ", "b: ", "a:\n", "b:\n", "- ", "-", " ", "  ", "    ", "\n", "\n\n", "x", "1", "0", "e", "null", "true", "n", "|\n", "|-\n", ">\n", "'", `"`, ":", "#", " #", "# c\n", "  # c\n", " # c\n", "b # c\n", "'b' # c\n",
	"{}", "[]", "{", "[", "]", "}", ", ", "{a: ", "b: c}", "[x, ", "y]\n", ",", "&", "*", "!", "?", "? ", "%", "@", "---", "---\n", "...", "/", ".", "=", "<<: ", "x\n", "y: z\n", "  c: d\n", "- e\n", "  - f\n", "- g: h\n",
	"0x", "_", "+", "-", "2001-01-01", "T", "\t", "\\", "~", "x y", "a.b/c: ", "12e3", "1.2", ".3", "a: |\n  x\n   y\n", "  z\n",
}

// textOf joins the fragments that choices select.
func textOf(choices []byte) []byte {
	var text []byte
	for _, c := range choices {
		text = append(text, fragments[int(c)%len(fragments)]...)
	}
	return append(text, '\n')
}

func TestRandomTextsAgreeWithTheLibrary(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	accepted := 0
	for range 300_000 {
		choices := make([]byte, 1+rng.IntN(14))
		for i := range choices {
			choices[i] = byte(rng.IntN(256))
		}
		if compare(t, textOf(choices)) {
			accepted++
		}
	}
	if accepted < 500 {
		t.Errorf("only %d texts are accepted", accepted)
	}
}

func FuzzFragments(f *testing.F) {
	f.Add([]byte{0, 11, 9, 2, 7, 1, 12, 9})
	f.Fuzz(func(t *testing.T, choices []byte) { compare(t, textOf(choices)) })
}
