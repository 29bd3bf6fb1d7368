package kustomize

import (
	"bytes"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// listKind matches the text after the key "kind" if the value may end in "List".
var listKind = regexp.MustCompile(`^["']?\s*:[ \t]*(` + strings.Join([]string{
	`[^\n]*(\n([^\n:]|:\S)*)*List\b`, // on the same line, or on a continuation line
	`[^\n]*\\`,                       // an escape sequence
	`("[^"\n]*|'[^'\n]*)\n`,          // a quoted text over several lines
	`["']?[*&!|>#]`,                  // an alias, a tag, or a block
	`\s*\n\s*["'*&!|>#]`,             // any of these on the next line
}, "|") + `)`)

// oddKey matches a line with a key that may be "kind" in an unusual syntax.
var oddKey = regexp.MustCompile(`"[^"]*\\[^"]*"\s*:|(^|[{,]|- )\s*(\*[^\s*,\[\]{}:]+\s*:|\?)(\s|$)`)

func mayHoldList(content []byte) bool {
	if !bytes.Contains(content, []byte("List")) && !bytes.ContainsAny(content, `*&!|>#\`) {
		return false // most files end here, without the cost of the regular expressions
	}
	key := []byte("kind")
	for rest := content; ; {
		at := bytes.Index(rest, key)
		if at < 0 {
			break
		}
		isWord := at > 0 && isWordByte(rest[at-1])
		if rest = rest[at+len(key):]; !isWord && listKind.Match(rest) {
			return true
		}
	}
	if !bytes.ContainsAny(content, `\*?`) {
		return false
	}
	for line := range bytes.Lines(content) {
		if bytes.ContainsAny(line, `\*?`) && oddKey.Match(line) {
			return true
		}
	}
	return false
}

func isWordByte(b byte) bool {
	return b == '_' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

func listObjects(content []byte) ([]Object, error) {
	found, err := resources(content)
	if err != nil {
		return nil, atLine(err, faultyLine(content))
	}
	if err := isCountable(len(found)); err != nil {
		return nil, atLine(err, 1)
	}
	lines := itemLines(content)
	objects := make([]Object, 0, len(found))
	for _, res := range found {
		id := res.CurId()
		key := name{res.GetApiVersion(), id.Kind, id.Namespace, id.Name}
		object := objectOf(res, 1)
		if at := lines[key]; len(at) > 0 {
			object.Line, lines[key] = at[0], at[1:]
		}
		if object.Repeats != nil {
			object.Repeats.First, object.Repeats.Second = 0, object.Line
		}
		objects = append(objects, object)
	}
	return objects, nil
}

// name has an object's apiVersion, kind, namespace and name as they are in the file.
type name struct{ apiVersion, kind, namespace, name string }

type header struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Metadata   struct {
		Name      string `yaml:"name"`
		Namespace string `yaml:"namespace"`
	} `yaml:"metadata"`
	Items yaml.Node `yaml:"items"`
}

// place is a node with the first line of its document.
type place struct {
	node  *yaml.Node
	first int
}

// itemLines returns the lines at which objects start, by name and in kustomize's order.
func itemLines(content []byte) map[name][]int {
	var queue []place
	for _, doc := range documents(content) {
		var node yaml.Node
		if err := yaml.NewDecoder(bytes.NewReader(doc.content)).Decode(&node); err == nil && len(node.Content) > 0 {
			queue = append(queue, place{node.Content[0], doc.line})
		}
	}
	lines := map[name][]int{}
	for ; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		var h header
		if at.node.Decode(&h) != nil {
			continue
		}
		if strings.HasSuffix(h.Kind, "List") && h.Items.Kind == yaml.SequenceNode {
			for _, item := range h.Items.Content {
				queue = append(queue, place{item, at.first})
			}
			continue
		}
		key := name{h.APIVersion, h.Kind, h.Metadata.Namespace, h.Metadata.Name}
		lines[key] = append(lines[key], at.first+at.node.Line-1)
	}
	return lines
}

func faultyLine(content []byte) int {
	for _, doc := range documents(content) {
		if _, err := resources(doc.content); err != nil {
			return doc.line
		}
	}
	return 1
}
