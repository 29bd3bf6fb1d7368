package kustomize

import (
	"bytes"

	"go.yaml.in/yaml/v3"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"sigs.k8s.io/kustomize/api/resource"

	"github.com/kratix-schedule/kratix-schedule/internal/quickyaml"
)

// plainObject returns the object of a file and its node, if the file certainly has exactly one
// object and the object is plain.
func plainObject(content []byte) (object Object, node *yaml.Node, ok bool) {
	if !isOneDocument(content) || bytes.Contains(content, []byte("<<")) || withinLimits(content) != nil {
		return Object{}, nil, false
	}
	var failed error
	defer func() { ok = ok && failed == nil }()
	defer recoverTo(&failed)
	doc, err := documentNode(content)
	if err != nil || len(doc.Content) != 1 || !isPlain(doc.Content[0]) {
		return Object{}, nil, false
	}
	node = doc.Content[0]
	schema.RLock()
	defer schema.RUnlock()
	return objectOf(&resource.Resource{RNode: *kyaml.NewRNode(doc)}, node.Line), node, true
}

func documentNode(content []byte) (*yaml.Node, error) {
	if doc, ok := quickyaml.Parse(content); ok {
		return doc, nil
	}
	var doc yaml.Node
	err := yaml.NewDecoder(bytes.NewReader(content)).Decode(&doc)
	return &doc, err
}

// isOneDocument reports whether content certainly has at most one document. It may return false for
// such content.
func isOneDocument(content []byte) bool {
	rest := bytes.TrimPrefix(content, []byte("---\n"))
	return !bytes.Contains(rest, []byte("---")) && !bytes.Contains(rest, []byte("...")) && !bytes.ContainsAny(rest, "\r\ufeff")
}
