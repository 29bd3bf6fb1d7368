package kustomize

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// What a document may be made of. The largest CustomResourceDefinitions there
// are have some hundred thousand nodes in thirty levels.
const (
	// maxNodes bounds what the aliases of a document may expand to.
	maxNodes = maxFileNodes
	// maxDepth bounds how deep it is nested.
	maxDepth = 500
	// maxCopies bounds how often its nodes are copied: kustomize copies every
	// map with all that is in it, so what is deep inside is copied often.
	maxCopies = 50_000_000
	// maxKeys bounds how many keys a map has: kustomize looks for each of them
	// among all.
	maxKeys = 20_000
)

// checkShape refuses what kustomize would not survive, or not in time: it
// replaces aliases with what they stand for, without end where an anchor
// contains itself, and such an overflow of the stack ends the process; and what
// it takes to read a document grows with the square of its depth, and with that
// of the keys of a map. The content has at most so many nodes.
func checkShape(content []byte, nodes int) error {
	aliases := bytes.Contains(content, []byte("*")) && bytes.Contains(content, []byte("&"))
	fewKeys := nodes <= 2*maxKeys
	if depth := depthAtMost(content); !aliases && fewKeys && depth <= maxDepth/2 && depth*len(content) <= 2*maxCopies {
		return nil
	}
	for _, doc := range documents(content) {
		var node yaml.Node
		if yaml.NewDecoder(bytes.NewReader(doc.content)).Decode(&node) != nil {
			continue // kustomize says so in its own words
		}
		e := expansion{within: map[*yaml.Node]bool{}}
		if err := e.add(&node, 0); err != nil {
			return err
		}
	}
	return nil
}

// depthAtMost returns a bound on how deep a document in a file is nested, from
// what could open another level.
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

// expansion counts the nodes of a document, as often as aliases repeat them.
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
