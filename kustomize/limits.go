package kustomize

import (
	"bytes"
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// What kustomize is not given, since it might eat all memory or never end.
const (
	maxFile      = 64 << 20
	maxDocuments = 100_000
	maxNodes     = 2_000_000
)

// ErrLimit is a file beyond what kustomize is given.
var ErrLimit = errors.New("it is beyond what is read")

// withinLimits refuses what may be made to burst kustomize.
func withinLimits(content []byte) error {
	if len(content) > maxFile {
		return fmt.Errorf("%w: %d MiB in one file; %d are read", ErrLimit, len(content)>>20, maxFile>>20)
	}
	if count := bytes.Count(content, []byte("\n---")); count > maxDocuments {
		return fmt.Errorf("%w: %d documents in one file; %d are read", ErrLimit, count, maxDocuments)
	}
	if bytes.IndexByte(content, '*') < 0 || bytes.IndexByte(content, '&') < 0 {
		return nil
	}
	return aliasesWithinLimits(content)
}

// aliasesWithinLimits counts the nodes there are once each alias is replaced by
// what it stands for, which can be very many more than there are bytes.
func aliasesWithinLimits(content []byte) error {
	for _, doc := range documents(content) {
		var node yaml.Node
		if yaml.Unmarshal(doc.content, &node) != nil {
			continue // kustomize says why it cannot be read
		}
		if count := (expansion{}).of(&node); count > maxNodes {
			return fmt.Errorf("%w: its aliases stand for more than %d nodes", ErrLimit, maxNodes)
		}
	}
	return nil
}

// expansion knows how many nodes a node stands for.
type expansion map[*yaml.Node]int

func (e expansion) of(node *yaml.Node) int {
	if node.Kind == yaml.AliasNode {
		return e.of(node.Alias)
	}
	if len(node.Content) == 0 {
		return 1
	}
	if count, known := e[node]; known {
		return count
	}
	e[node] = maxNodes + 1 // what stands for itself has no end
	count := 1
	for _, inner := range node.Content {
		count = min(count+e.of(inner), maxNodes+1)
	}
	e[node] = count
	return count
}
