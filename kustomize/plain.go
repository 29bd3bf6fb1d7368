package kustomize

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/konfig"
)

// longestPlainKey is the maximum length in bytes of a key in a plain object.
const longestPlainKey = 256

// plainNumber matches numbers that all of Flux's steps parse and write without a change.
var plainNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?$`)

// isPlain reports whether an object has only values that Flux certainly writes out, decodes and
// applies.
func isPlain(object *yaml.Node) bool {
	if object.Kind != yaml.MappingNode || !isPlainNode(object) {
		return false
	}
	var apiVersion, kind, metadata bool
	for i := 0; i+1 < len(object.Content); i += 2 {
		value := object.Content[i+1]
		switch object.Content[i].Value {
		case "apiVersion":
			apiVersion = isText(value)
		case "kind":
			kind = isText(value) && !strings.HasSuffix(value.Value, "List") && !strings.EqualFold(value.Value, "kustomization")
		case "metadata":
			metadata = isPlainMetadata(value)
		case "items":
			if value.Kind == yaml.SequenceNode {
				return false
			}
		}
	}
	return apiVersion && kind && metadata
}

func isText(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.Tag == "!!str" && node.Value != ""
}

func isPlainMetadata(metadata *yaml.Node) bool {
	named := false
	if metadata.Kind != yaml.MappingNode {
		return false
	}
	for i := 0; i+1 < len(metadata.Content); i += 2 {
		value := metadata.Content[i+1]
		switch metadata.Content[i].Value {
		case "name":
			named = isText(value)
		case "namespace":
			if !isText(value) {
				return false
			}
		case "labels", "annotations":
			if !isPlainTexts(value) {
				return false
			}
		}
	}
	return named
}

// isPlainTexts reports whether a node is a map of strings without annotations of kustomize.
func isPlainTexts(texts *yaml.Node) bool {
	if texts.Kind != yaml.MappingNode {
		return false
	}
	for i := 0; i+1 < len(texts.Content); i += 2 {
		key, value := texts.Content[i].Value, texts.Content[i+1]
		if value.Kind != yaml.ScalarNode || value.Tag != "!!str" || strings.Contains(key, "config.kubernetes.io/") || strings.Contains(key, konfig.ConfigAnnoDomain) {
			return false
		}
	}
	return true
}

func isPlainNode(node *yaml.Node) bool {
	if node.Anchor != "" || node.Style&yaml.TaggedStyle != 0 {
		return false
	}
	switch node.Kind {
	case yaml.ScalarNode:
		return isPlainScalar(node)
	case yaml.MappingNode:
		return isPlainMap(node)
	case yaml.SequenceNode:
		for _, item := range node.Content {
			if !isPlainNode(item) || node.Style&yaml.FlowStyle != 0 && isCommented(item) {
				return false
			}
		}
		return true
	}
	return false
}

func isPlainMap(node *yaml.Node) bool {
	for i, child := range node.Content {
		if i%2 == 0 && (child.Kind != yaml.ScalarNode || child.Tag != "!!str" || len(child.Value) > longestPlainKey) {
			return false
		}
		if !isPlainNode(child) || node.Style&yaml.FlowStyle != 0 && isCommented(child) {
			return false
		}
	}
	_, again := equalKeys(node.Content)
	return again == nil
}

func isCommented(node *yaml.Node) bool {
	return node.HeadComment != "" || node.LineComment != "" || node.FootComment != ""
}

func isPlainScalar(node *yaml.Node) bool {
	switch node.Tag {
	case "!!str":
		return isPlainText(node)
	case "!!int", "!!float":
		return plainNumber.MatchString(node.Value)
	case "!!bool", "!!null":
		return true
	}
	return false
}

// isPlainText reports whether a string is printable ASCII in a style that does not change when it
// is written out.
func isPlainText(node *yaml.Node) bool {
	block := node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0
	lines := false
	for i := range len(node.Value) {
		switch c := node.Value[i]; {
		case c == '\n':
			lines = true
		case c < ' ' || c > '~':
			return false
		}
	}
	switch {
	case block:
		return !isCommented(node) && node.Value != "" && node.Value[0] != ' ' && node.Value[0] != '\n' && !strings.Contains(node.Value, " \n")
	case lines:
		return node.Style&yaml.DoubleQuotedStyle != 0
	}
	return true
}
