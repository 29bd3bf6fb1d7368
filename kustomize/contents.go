package kustomize

import (
	"bytes"
	"fmt"
	"math"
	"strconv"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/kustomize/api/resource"
)

// Content is one object of a file with its fields.
type Content struct {
	Object
	// Fields are the object's fields as Flux decodes them after the build.
	Fields map[string]any
	// node is the object's node in its document, or nil if the lines of the fields are not known.
	node *yaml.Node
}

// LineOf returns the line of a field, counted from 1, or of its innermost existing parent. The
// elements of path are keys of maps and indexes of lists.
func (c *Content) LineOf(path ...any) int {
	node, line := c.node, c.Line
	if node == nil {
		return line
	}
	before := c.Line - node.Line
	for _, element := range path {
		key, value := child(node, element)
		if value == nil {
			break
		}
		node, line = value, before+key.Line
	}
	return line
}

// child returns the node at which an element of a map or list starts, and its value, or nil if
// there is no such element.
func child(node *yaml.Node, element any) (start, value *yaml.Node) {
	switch e := element.(type) {
	case string:
		if node.Kind != yaml.MappingNode {
			return nil, nil
		}
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == e {
				return node.Content[i], node.Content[i+1]
			}
		}
	case int:
		if node.Kind == yaml.SequenceNode && e >= 0 && e < len(node.Content) {
			return node.Content[e], node.Content[e]
		}
	}
	return nil, nil
}

// Contents calls visit for each object of a file that Flux can write out. objects are those that
// Cache.File returns for the same content.
func Contents(content []byte, objects []Object, visit func(*Content)) error {
	if !mayHoldList(content) {
		if docs := objectDocuments(content); len(docs) == len(objects) {
			for i, doc := range docs {
				if err := visitDocument(doc, objects[i], visit); err != nil {
					return err
				}
			}
			return nil
		}
	}
	schema.RLock()
	defer schema.RUnlock()
	i := 0
	return eachResource(content, func(res *resource.Resource, _ int) error {
		if i >= len(objects) {
			return fmt.Errorf("the file has more than %d objects", len(objects))
		}
		visitResource(res, objects[i], visit)
		i++
		return nil
	})
}

func objectDocuments(content []byte) []document {
	docs := documents(content)
	some := docs[:0]
	for _, doc := range docs {
		if !isBlank(doc.content) {
			some = append(some, doc)
		}
	}
	return some
}

func isBlank(content []byte) bool {
	for line := range bytes.Lines(content) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' && !bytes.HasPrefix(line, []byte("---")) {
			return false
		}
	}
	return true
}

// hasAnchors reports whether a document may have anchors.
func hasAnchors(content []byte) bool { return bytes.IndexByte(content, '&') >= 0 }

func visitDocument(doc document, object Object, visit func(*Content)) error {
	if object.plain && !hasAnchors(doc.content) {
		if node, err := documentNode(doc.content); err == nil && len(node.Content) == 1 {
			if fields, ok := valueOf(node.Content[0]).(map[string]any); ok {
				visit(&Content{Object: object, Fields: fields, node: node.Content[0]})
				return nil
			}
		}
	}
	schema.RLock()
	defer schema.RUnlock()
	found, err := resources(doc.content)
	if err != nil {
		return atLine(err, doc.line)
	}
	if len(found) == 1 {
		visitResource(found[0], object, visit)
	}
	return nil
}

func visitResource(res *resource.Resource, object Object, visit func(*Content)) {
	if object.Outcome.Unwritable != "" {
		return
	}
	text, err := asJSON(res)
	if err != nil {
		return
	}
	content := &Content{Object: object}
	if json.Unmarshal(text, &content.Fields) == nil && content.Fields != nil {
		visit(content)
	}
}

func asJSON(res *resource.Resource) (text []byte, err error) {
	defer recoverTo(&err)
	return res.MarshalJSON()
}

func valueOf(node *yaml.Node) any {
	switch node.Kind {
	case yaml.MappingNode:
		fields := make(map[string]any, len(node.Content)/2)
		for i := 0; i+1 < len(node.Content); i += 2 {
			fields[node.Content[i].Value] = valueOf(node.Content[i+1])
		}
		return fields
	case yaml.SequenceNode:
		items := make([]any, len(node.Content))
		for i, item := range node.Content {
			items[i] = valueOf(item)
		}
		return items
	}
	return scalarOf(node)
}

func scalarOf(node *yaml.Node) any {
	switch node.Tag {
	case "!!null":
		return nil
	case "!!bool":
		return node.Value == "true" || node.Value == "True" || node.Value == "TRUE"
	case "!!int":
		if n, err := strconv.ParseInt(node.Value, 10, 64); err == nil {
			return n
		}
	case "!!float":
		if n, err := strconv.ParseFloat(node.Value, 64); err == nil {
			// 1.0 is also returned as an integer, because JSON does not distinguish it from 1.
			if n == math.Trunc(n) && math.Abs(n) < 1<<53 {
				return int64(n)
			}
			return n
		}
	}
	return node.Value
}
