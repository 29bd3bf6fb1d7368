package kustomize

import (
	"bytes"

	"go.yaml.in/yaml/v3"
)

// isSimple reports whether content certainly contains exactly one document, so that it can be
// parsed together with other files. It may return false for such content.
func isSimple(content []byte) bool {
	return len(content) > 0 && content[len(content)-1] == '\n' &&
		!bytes.Contains(content, []byte("---")) && !bytes.Contains(content, []byte("...")) &&
		!bytes.Contains(content, []byte("List")) && !bytes.ContainsAny(content, "\r\ufeff%&*!\\|>#")
}

// simpleObject is the object of a file for which isSimple returns true, and the object's node.
type simpleObject struct {
	Object
	node *yaml.Node
}

// readTogether parses several simple files at once, because parsing them one by one takes longer.
// It returns one object per file, or nil if a file does not have exactly one object.
func readTogether(contents [][]byte) []simpleObject {
	schema.RLock()
	defer schema.RUnlock()
	found, err := resources(bytes.Join(contents, []byte("---\n")))
	if err != nil || len(found) != len(contents) {
		return nil
	}
	objects := make([]simpleObject, 0, len(found))
	for _, res := range found {
		objects = append(objects, simpleObject{objectOf(res, res.YNode().Line), res.YNode()})
	}
	return objects
}
