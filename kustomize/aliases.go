package kustomize

import (
	"bytes"
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// maxNodes bounds what the aliases of one document may expand to. The largest
// CustomResourceDefinitions there are have some hundred thousand nodes.
const maxNodes = 2_000_000

// checkAliases refuses what kustomize would not survive: it replaces aliases
// with what they stand for, without end where an anchor contains itself, and
// such an overflow of the stack ends the process.
func checkAliases(content []byte) error {
	if !bytes.Contains(content, []byte("*")) || !bytes.Contains(content, []byte("&")) {
		return nil
	}
	for _, doc := range documents(content) {
		var node yaml.Node
		if yaml.NewDecoder(bytes.NewReader(doc.content)).Decode(&node) != nil {
			continue // kustomize says so in its own words
		}
		e := expansion{within: map[*yaml.Node]bool{}}
		if err := e.add(&node); err != nil {
			return err
		}
	}
	return nil
}

// expansion counts the nodes of a document, as often as aliases repeat them.
type expansion struct {
	nodes  int
	within map[*yaml.Node]bool
}

func (e *expansion) add(node *yaml.Node) error {
	if e.nodes++; e.nodes > maxNodes {
		return errors.New("its aliases expand to more than kustomize can hold")
	}
	if node.Kind == yaml.AliasNode {
		if e.within[node.Alias] {
			return fmt.Errorf("the anchor &%s contains itself, which kustomize would follow without end", node.Value)
		}
		e.within[node.Alias] = true
		defer delete(e.within, node.Alias)
		return e.add(node.Alias)
	}
	for _, child := range node.Content {
		if err := e.add(child); err != nil {
			return err
		}
	}
	return nil
}
