package kustomize

import (
	"fmt"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/resource"
)

// RepeatedField is a field that occurs twice in an object, so that kustomize cannot write the
// object out.
type RepeatedField struct {
	Field string
	// First and Second are lines of the file, counted from 1. In a file that may have objects of a
	// List kind, First is 0 and Second is the line at which the object starts.
	First, Second int
}

// String returns a text with the field and, if they are known, both lines.
func (f *RepeatedField) String() string {
	if f.First == 0 {
		return fmt.Sprintf("the field %q is defined twice in one object", f.Field)
	}
	return fmt.Sprintf("the field %q is defined twice, on line %d and on line %d", f.Field, f.First, f.Second)
}

// repeatedIn returns a field that occurs twice, so that kustomize cannot write the object out, or nil.
// before is the number of lines above the object's document.
func repeatedIn(res *resource.Resource, before int) *RepeatedField {
	first, again := repeatedKey(res.YNode())
	if again == nil || first.Line == again.Line && first.Column == again.Column {
		return nil // kustomize can write out an object in which a null key occurs twice
	}
	if _, err := res.AsYAML(); err == nil {
		return nil
	}
	return &RepeatedField{Field: again.Value, First: before + first.Line, Second: before + again.Line}
}

// fewKeys is the number of keys up to which equalKeys uses no map.
const fewKeys = 12

// repeatedKey returns the first two equal keys of one map, or nil if there are none.
func repeatedKey(node *yaml.Node) (first, again *yaml.Node) {
	if node.Kind == yaml.MappingNode {
		if first, again = equalKeys(node.Content); again != nil {
			return first, again
		}
	}
	for _, child := range node.Content {
		if len(child.Content) == 0 {
			continue
		}
		if first, again = repeatedKey(child); again != nil {
			return first, again
		}
	}
	return nil, nil
}

func equalKeys(content []*yaml.Node) (first, again *yaml.Node) {
	if len(content) > 2*fewKeys {
		return equalKeysOfMany(content)
	}
	for i := 2; i < len(content); i += 2 {
		for j := 0; j < i; j += 2 {
			if content[i].Value == content[j].Value && content[i].Kind == content[j].Kind {
				return content[j], content[i]
			}
		}
	}
	return nil, nil
}

func equalKeysOfMany(content []*yaml.Node) (first, again *yaml.Node) {
	type key struct {
		kind  yaml.Kind
		value string
	}
	known := make(map[key]*yaml.Node, len(content)/2)
	for i := 0; i < len(content); i += 2 {
		is := key{content[i].Kind, content[i].Value}
		if before, twice := known[is]; twice {
			return before, content[i]
		}
		known[is] = content[i]
	}
	return nil, nil
}
