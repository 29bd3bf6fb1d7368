package kratix

import (
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// typeError converts an error about decoding the object at path. The result has the line of the
// invalid value if it is found, and otherwise the line of the object.
func (l *lineFinder) typeError(path string, err error) *LineError {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return &LineError{Line: l.of(path), Reason: PlainReason(err)}
	}
	field, node := l.mistyped(path, wrong)
	if node == nil {
		return &LineError{Line: l.of(path), Reason: PlainReason(err)}
	}
	reason := field + " cannot be " + withArticle(wrong.Value)
	if kind := kindOf(wrong.Value); wrong.Type.Kind() == reflect.String && (kind == "number" || kind == "bool") {
		reason = field + " is " + withArticle(strings.Replace(kind, "bool", "boolean", 1)) + "; quote it"
	}
	return &LineError{Line: l.first + node.Line - 1, Reason: reason}
}

// kindOf returns the first word of UnmarshalTypeError.Value, such as "number".
func kindOf(value string) string {
	kind, _, _ := strings.Cut(value, " ")
	return kind
}

// mistyped returns the path of the value that wrong describes, and a node with its line.
func (l *lineFinder) mistyped(path string, wrong *json.UnmarshalTypeError) (string, *yaml.Node) {
	if wrong.Field == "" {
		return "", nil
	}
	object := l.node(path)
	return search(object, "", strings.Split(wrong.Field, "."), kindOf(wrong.Value))
}

// search returns the path of the first value of a JSON kind below node, and a node with its line.
// steps are the names of the fields from node to the value.
func search(node *yaml.Node, path string, steps []string, kind string) (string, *yaml.Node) {
	switch {
	case node == nil:
		return "", nil
	case node.Kind == yaml.AliasNode:
		return search(node.Alias, path, steps, kind)
	case node.Kind == yaml.SequenceNode && (len(steps) > 0 || kind != "array"):
		for i, each := range node.Content {
			if at, found := search(each, path+"["+strconv.Itoa(i)+"]", steps, kind); found != nil {
				return at, found
			}
		}
		return "", nil
	case len(steps) > 0:
		return search(valueOf(node, steps[0]), join(path, steps[0]), steps[1:], kind)
	case node.Kind == yaml.MappingNode && isMap(path):
		for i := 0; i+1 < len(node.Content); i += 2 {
			if isOfKind(node.Content[i+1], kind) {
				return join(path, node.Content[i].Value), node.Content[i]
			}
		}
	case isOfKind(node, kind):
		return path, node
	}
	return "", nil
}

func isMap(path string) bool {
	switch path[strings.LastIndex(path, ".")+1:] {
	case "labels", "annotations", "matchLabels", "data", "stringData":
		return true
	}
	return false
}

func valueOf(node *yaml.Node, key string) *yaml.Node {
	if node.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	return nil
}

func join(path, name string) string { return dotted(path) + name }

// isOfKind reports whether a value can have a JSON kind. Kubernetes reads an unquoted yes or off as
// a boolean, unlike YAML 1.2.
func isOfKind(node *yaml.Node, kind string) bool {
	switch kind {
	case "array":
		return node.Kind == yaml.SequenceNode
	case "object":
		return node.Kind == yaml.MappingNode
	case "number":
		return node.Tag == "!!int" || node.Tag == "!!float"
	case "bool":
		return node.Tag == "!!bool" || node.Kind == yaml.ScalarNode && node.Style == 0 && isOldBool(node.Value)
	case "string":
		return node.Kind == yaml.ScalarNode
	}
	return false
}

func isOldBool(word string) bool {
	switch strings.ToLower(word) {
	case "y", "n", "yes", "no", "on", "off", "true", "false":
		return true
	}
	return false
}
