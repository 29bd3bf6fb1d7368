package quickyaml

import (
	"bytes"

	"go.yaml.in/yaml/v3"
)

// mapping parses a map that begins in the current line. Each key is indented by offset.
func (p *parser) mapping(offset, depth int) (*yaml.Node, bool) {
	if depth > maxDepth {
		return nil, false
	}
	node := p.node(yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: p.number, Column: offset + 1})
	base := len(p.stack)
	for {
		if !p.entry(offset, depth, base) {
			return nil, false
		}
		if p.ended || p.indent < offset {
			break
		}
		if p.indent > offset || isItem(p.rest) {
			return nil, false
		}
	}
	node.Content = p.content(base)
	return node, true
}

// entry parses a key and its value, and moves to the line after them.
func (p *parser) entry(offset, depth, base int) bool {
	colon := bytes.IndexByte(p.rest, ':')
	if colon < 0 || !p.key(p.rest[:colon], offset+1, base) {
		return false
	}
	value := bytes.TrimLeft(p.rest[colon+1:], " ")
	column := offset + 1 + len(p.rest) - len(value)
	var node *yaml.Node
	var ok bool
	switch {
	case len(value) > 0 && len(value) == len(p.rest)-colon-1: // no space after the colon
		return false
	case p.isEnd(p.rest[colon+1:]):
		node, ok = p.nested(offset, depth)
	default:
		node, ok = p.scalar(value, offset, column)
	}
	if !ok {
		return false
	}
	p.stack = append(p.stack, node)
	return true
}

// key parses a key of the map whose nodes are on the stack above base.
func (p *parser) key(text []byte, column, base int) bool {
	if len(text) > maxKey || len(p.stack)-base >= 2*maxKeys || !isKey(text) {
		return false
	}
	for i := base; i < len(p.stack); i += 2 {
		if p.stack[i].Value == string(text) {
			return false
		}
	}
	p.stack = append(p.stack, p.node(yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: keyText(text), Line: p.number, Column: column}))
	return true
}

// nested parses a map or list that begins in the next line. offset is the indentation of its key.
func (p *parser) nested(offset, depth int) (*yaml.Node, bool) {
	if !p.next() {
		return nil, false
	}
	switch {
	case p.indent >= offset && isItem(p.rest):
		return p.sequence(p.indent, depth+1)
	case p.indent > offset:
		return p.mapping(p.indent, depth+1)
	}
	return nil, false
}

func isItem(text []byte) bool { return text[0] == '-' && (len(text) == 1 || text[1] == ' ') }

// sequence parses a list whose first item is in the current line.
func (p *parser) sequence(indent, depth int) (*yaml.Node, bool) {
	if depth > maxDepth {
		return nil, false
	}
	node := p.node(yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Line: p.number, Column: indent + 1})
	base := len(p.stack)
	for !p.ended && p.indent == indent && isItem(p.rest) {
		text := bytes.TrimLeft(p.rest[1:], " ")
		offset := indent + len(p.rest) - len(text)
		if len(text) == 0 || isItem(text) {
			return nil, false
		}
		p.rest, p.indent = text, offset
		var item *yaml.Node
		var ok bool
		if hasKey(text) {
			item, ok = p.mapping(offset, depth+1)
		} else {
			p.fragile = p.fragile || text[0] == '|'
			item, ok = p.scalar(text, indent, offset+1)
		}
		if !ok {
			return nil, false
		}
		p.stack = append(p.stack, item)
	}
	if !p.ended && p.indent > indent {
		return nil, false
	}
	node.Content = p.content(base)
	return node, true
}

func hasKey(text []byte) bool {
	colon := bytes.IndexByte(text, ':')
	return colon > 0 && isKey(text[:colon]) && (colon+1 == len(text) || text[colon+1] == ' ')
}
