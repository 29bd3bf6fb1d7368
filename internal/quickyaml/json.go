package quickyaml

import (
	"encoding/json"
	"sync"

	"go.yaml.in/yaml/v3"
)

// pool has nodes that JSON reuses.
//
//nolint:gochecknoglobals // nodes are interchangeable
var pool = sync.Pool{New: func() any { nodes := make([]yaml.Node, 0, 4*firstChunk); return &nodes }}

// JSON returns a document as JSON, with its keys in the order of the text. It returns false if the
// text is not simple.
func JSON(text []byte) ([]byte, bool) {
	nodes := pool.Get().(*[]yaml.Node) //nolint:errcheck,forcetypeassert // the pool has no others
	defer pool.Put(nodes)
	p := parser{free: (*nodes)[:0]}
	document, ok := p.parse(text)
	defer clear((*nodes)[:cap(*nodes)])
	if !ok {
		return nil, false
	}
	return appendJSON(make([]byte, 0, len(text)+len(text)/4), document.Content[0]), true
}

func appendJSON(to []byte, node *yaml.Node) []byte {
	switch node.Kind {
	case yaml.MappingNode:
		to = append(to, '{')
		for i := 0; i+1 < len(node.Content); i += 2 {
			if i > 0 {
				to = append(to, ',')
			}
			to = append(appendString(to, node.Content[i].Value), ':')
			to = appendJSON(to, node.Content[i+1])
		}
		return append(to, '}')
	case yaml.SequenceNode:
		to = append(to, '[')
		for i, item := range node.Content {
			if i > 0 {
				to = append(to, ',')
			}
			to = appendJSON(to, item)
		}
		return append(to, ']')
	}
	if node.Tag != "!!str" {
		return append(to, node.Value...)
	}
	return appendString(to, node.Value)
}

func appendString(to []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c == '\\' || c == '"' || c < ' ' {
			quoted, _ := json.Marshal(text) // a string cannot fail
			return append(to, quoted...)
		}
	}
	to = append(to, '"')
	to = append(to, text...)
	return append(to, '"')
}
