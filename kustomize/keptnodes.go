package kustomize

import (
	"crypto/sha256"

	"go.yaml.in/yaml/v3"
)

type keptNodes struct {
	byFile map[digest]keptNode
	count  int
}

type keptNode struct {
	node *yaml.Node
	// count is an upper bound on the number of nodes in the tree of node.
	count int
}

// put keeps the node of a file, unless keptNodes would then have more than limit nodes.
func (k *keptNodes) put(file digest, kept keptNode, limit int) {
	if k.count+kept.count > limit {
		return
	}
	if k.byFile == nil {
		k.byFile = map[digest]keptNode{}
	}
	if _, has := k.byFile[file]; !has {
		k.byFile[file] = kept
		k.count += kept.count
	}
}

// Contents does the same as the function Contents, but uses kept nodes.
func (c *Cache) Contents(content []byte, objects []Object, visit func(*Content)) error {
	if c.KeepNodes > 0 && len(objects) == 1 {
		c.mu.Lock()
		node := c.kept.byFile[sha256.Sum256(content)].node
		c.mu.Unlock()
		if node != nil {
			if fields, ok := valueOf(node).(map[string]any); ok {
				visit(&Content{Object: objects[0], Fields: fields, node: node})
				return nil
			}
		}
	}
	return Contents(content, objects, visit)
}

// DropNodes drops the kept nodes.
func (c *Cache) DropNodes() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept = keptNodes{}
}
