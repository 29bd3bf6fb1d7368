package quickyaml

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"
)

// scalar parses a value that begins in the current line, and moves to the line after it. indent is
// the indentation of its map or list.
func (p *parser) scalar(text []byte, indent, column int) (*yaml.Node, bool) {
	switch text[0] {
	case '|':
		return p.literal(text, indent, column)
	case '{', '[':
		node, rest, ok := p.flow(text, column, 0)
		p.fragile = p.fragile || ok && len(node.Content) > 0
		ok = ok && p.isEnd(rest)
		p.next()
		return node, ok
	case '"', '\'':
		node, rest, ok := p.quoted(text, column)
		ok = ok && p.isEnd(rest)
		p.next()
		return node, ok
	}
	if comment := bytes.Index(text, []byte(" #")); comment >= 0 {
		p.commented = true
		text = bytes.TrimRight(text[:comment], " ")
	}
	tag := plainTag(text)
	node := p.node(yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: string(text), Line: p.number, Column: column})
	p.next()
	return node, tag != ""
}

// isEnd reports whether the rest of a line has at most a comment.
func (p *parser) isEnd(rest []byte) bool {
	comment := bytes.TrimLeft(rest, " ")
	if len(comment) == 0 {
		return true
	}
	p.commented = p.commented || comment[0] == '#'
	return comment[0] == '#' && len(comment) < len(rest)
}

// quoted parses a scalar in quotes without escapes, and returns the text after it.
func (p *parser) quoted(text []byte, column int) (node *yaml.Node, rest []byte, ok bool) {
	end := 1 + bytes.IndexByte(text[1:], text[0])
	if end == 0 {
		return nil, nil, false
	}
	style := yaml.DoubleQuotedStyle
	if text[0] == '\'' {
		style = yaml.SingleQuotedStyle
		ok = end+1 == len(text) || text[end+1] != '\''
	} else {
		ok = bytes.IndexByte(text[:end], '\\') < 0
	}
	return p.node(yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: style, Value: string(text[1:end]), Line: p.number, Column: column}), text[end+1:], ok
}

// literal parses a literal block scalar. indent is the indentation of its map or list.
func (p *parser) literal(header []byte, indent, column int) (*yaml.Node, bool) {
	strip := string(header) == "|-"
	if !strip && len(header) > 1 {
		return nil, false
	}
	line := p.number
	if p.at >= len(p.text) || p.text[p.at] == '\n' || !p.nextText() || p.indent <= indent {
		return nil, false
	}
	block := p.indent
	var value strings.Builder
	value.Write(p.rest)
	number := p.number
	for p.nextText() && p.indent >= block {
		for ; number < p.number; number++ {
			value.WriteByte('\n')
		}
		for range p.indent - block {
			value.WriteByte(' ')
		}
		value.Write(p.rest)
	}
	if !p.skipComment() && p.indent > indent {
		return nil, false
	}
	if !strip {
		value.WriteByte('\n')
	}
	return p.node(yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.LiteralStyle, Value: value.String(), Line: line, Column: column}), true
}
