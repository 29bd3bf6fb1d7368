package kustomize

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// The limits of the structure of a document.
const (
	// maxNodes is the maximum number of nodes of a document with its aliases expanded.
	maxNodes = maxFileNodes
	maxDepth = 500
	// maxCopies is the maximum number of node copies that kustomize makes.
	maxCopies = 50_000_000
	// maxKeys is the maximum number of keys of a map, because kustomize compares each key with all
	// others.
	maxKeys = 20_000
)

// checkShape returns an error for a document that could crash kustomize or take too long to parse.
// nodes is an upper bound on the number of nodes in content.
func checkShape(content []byte, nodes int) error {
	aliases := bytes.Contains(content, []byte("*")) && bytes.Contains(content, []byte("&"))
	fewKeys := nodes <= 2*maxKeys
	if depth := depthAtMost(content); !aliases && fewKeys && depth <= maxDepth/2 && depth*len(content) <= 2*maxCopies {
		return nil
	}
	for _, doc := range documents(content) {
		var node yaml.Node
		if yaml.NewDecoder(bytes.NewReader(doc.content)).Decode(&node) != nil {
			continue // kustomize itself reports the error
		}
		e := expansion{within: map[*yaml.Node]bool{}}
		if err := e.add(&node, 0); err != nil {
			return err
		}
	}
	return nil
}

// depthAtMost returns an upper bound on the depth of a document.
func depthAtMost(content []byte) int {
	flow, deepestFlow, deepestLine := 0, 0, 0
	for line := range bytes.Lines(content) {
		indent := len(line) - len(bytes.TrimLeft(line, " "))
		deepestLine = max(deepestLine, indent+bytes.Count(line, []byte("? "))+bytes.Count(line, []byte("- ")))
		if !bytes.ContainsAny(line, "{}[]") {
			continue
		}
		for _, c := range line {
			switch c {
			case '{', '[':
				flow++
			case '}', ']':
				flow = max(0, flow-1)
			}
			deepestFlow = max(deepestFlow, flow)
		}
	}
	return deepestLine + deepestFlow + 1
}

type expansion struct {
	nodes, copies, compared int
	within                  map[*yaml.Node]bool
}

func (e *expansion) add(node *yaml.Node, depth int) error {
	e.nodes++
	e.copies += depth
	if node.Kind == yaml.MappingNode {
		keys := len(node.Content) / 2
		e.compared += keys * keys
	}
	switch {
	case e.nodes > maxNodes:
		return fmt.Errorf("%w: its aliases stand for more than %d values", ErrLimit, maxNodes)
	case depth > maxDepth:
		return fmt.Errorf("%w: it is nested more than %d levels deep", ErrLimit, maxDepth)
	case e.copies > maxCopies:
		return fmt.Errorf("%w: it is nested too deep for its size", ErrLimit)
	case e.compared > maxKeys*maxKeys:
		return fmt.Errorf("%w: its maps have too many keys: %d are read in one map, fewer where there are several", ErrLimit, maxKeys)
	}
	if node.Kind == yaml.AliasNode {
		if e.within[node.Alias] {
			return fmt.Errorf("the anchor &%s contains itself, which kustomize would follow without end", node.Value)
		}
		e.within[node.Alias] = true
		defer delete(e.within, node.Alias)
		return e.add(node.Alias, depth)
	}
	for _, child := range node.Content {
		if err := e.add(child, depth+1); err != nil {
			return err
		}
	}
	return nil
}
