package quickyaml

import (
	"bytes"

	"go.yaml.in/yaml/v3"
)

// flow parses a map or list in flow style, and returns the text after it.
func (p *parser) flow(text []byte, column, depth int) (node *yaml.Node, rest []byte, ok bool) {
	if depth > maxDepth {
		return nil, nil, false
	}
	node = p.node(yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Style: yaml.FlowStyle, Line: p.number, Column: column})
	end := byte('}')
	if text[0] == '[' {
		node.Kind, node.Tag, end = yaml.SequenceNode, "!!seq", ']'
	}
	whole, base := len(text), len(p.stack)
	text = bytes.TrimLeft(text[1:], " ")
	if len(text) > 0 && text[0] == end {
		return node, text[1:], true
	}
	for {
		if end == '}' {
			if text, ok = p.flowKey(text, column+whole-len(text), base); !ok {
				return nil, nil, false
			}
		}
		if text, ok = p.flowValue(text, column+whole-len(text), depth); !ok || len(text) == 0 || len(p.stack)-base > 2*maxKeys {
			return nil, nil, false
		}
		switch text[0] {
		case end:
			node.Content = p.content(base)
			return node, text[1:], true
		case ',':
			text = bytes.TrimLeft(text[1:], " ")
		default:
			return nil, nil, false
		}
	}
}

// flowKey parses a key, and returns the text after its colon.
func (p *parser) flowKey(text []byte, column, base int) (value []byte, ok bool) {
	colon := bytes.Index(text, []byte(": "))
	if colon < 0 || !p.key(text[:colon], column, base) {
		return nil, false
	}
	return bytes.TrimLeft(text[colon+1:], " "), true
}

// flowValue parses a value, and returns the text after it.
func (p *parser) flowValue(text []byte, column, depth int) (rest []byte, ok bool) {
	if len(text) == 0 {
		return nil, false
	}
	var node *yaml.Node
	switch text[0] {
	case '{', '[':
		node, rest, ok = p.flow(text, column, depth+1)
	case '"', '\'':
		node, rest, ok = p.quoted(text, column)
	default:
		length := 0
		for length < len(text) && (isInKey(text[length]) || text[length] == ' ') {
			length++
		}
		value := bytes.TrimRight(text[:length], " ")
		if len(value) == 0 {
			return nil, false
		}
		tag := plainTag(value)
		node, rest, ok = p.node(yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: string(value), Line: p.number, Column: column}), text[length:], tag != ""
	}
	p.stack = append(p.stack, node)
	return bytes.TrimLeft(rest, " "), ok
}
