// Package quickyaml parses the simple YAML of most manifests in a fraction of the time of the YAML
// library, with the same result. It rejects all other YAML, which callers pass to the library.
//
// It accepts one document: a map in block style, whose values are maps and lists in block style,
// maps and lists in flow style on one line, scalars on one line, and literal block scalars. Comments, anchors, tags, escapes, merge keys, text that is not
// printable ASCII, and scalars whose type depends on the version of YAML are rejected.
package quickyaml

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	maxDepth = 50
	maxKey   = 256
	maxKeys  = 100
	// Nodes are allocated together: first as many as the text seems to need, but at most firstChunk,
	// and then chunkSize at once.
	firstChunk = 128
	chunkSize  = 16
)

// Parse returns the document node that yaml.Unmarshal would return. It returns false if the text is
// not simple; the text may then be valid or not.
func Parse(text []byte) (document *yaml.Node, ok bool) { return (&parser{}).parse(text) }

// count returns about the number of nodes in a text, and reports whether the text has
// lines of printable ASCII only, each of which ends with a line break and without spaces.
func count(text []byte) (nodes int, ok bool) {
	nodes = 2
	for i, c := range text {
		switch {
		case c == '\n':
			if i > 0 && text[i-1] == ' ' {
				return 0, false
			}
			nodes += 2
		case c < ' ' || c > '~':
			return 0, false
		case c == '-' && i+1 < len(text) && text[i+1] == ' ':
			nodes++
		case c == ',' || c == '{' || c == '[':
			nodes += 2
		}
	}
	return nodes, len(text) > 0 && text[len(text)-1] == '\n'
}

type parser struct {
	text []byte
	// at is the offset of the line after the current one. line is its number.
	at, line int
	// rest is the current line without its indentation. number is its number. ended means that there
	// is no current line.
	rest   []byte
	indent int
	number int
	ended  bool

	// free are allocated nodes. Those within its length are in use.
	free []yaml.Node
	// stack has the nodes of the unfinished maps and lists.
	stack []*yaml.Node
}

func (p *parser) parse(text []byte) (document *yaml.Node, ok bool) {
	body := bytes.TrimPrefix(text, []byte("---\n"))
	estimate, printable := count(body)
	if !printable || body[0] == '\n' {
		return nil, false
	}
	p.text, p.at, p.line = text, len(text)-len(body), 1
	if p.at > 0 {
		p.line = 2
	}
	if p.free == nil {
		p.free = make([]yaml.Node, 0, min(estimate, firstChunk))
	}
	document = p.node(yaml.Node{Kind: yaml.DocumentNode, Line: 1, Column: 1})
	if !p.next() || p.indent != 0 {
		return nil, false
	}
	root, ok := p.mapping(0, 0, 1)
	if !ok || !p.ended {
		return nil, false
	}
	document.Content = []*yaml.Node{root}
	return document, true
}

// next moves to the next line that is not empty. It returns false if there is none.
func (p *parser) next() bool {
	for p.at < len(p.text) {
		line := p.text[p.at : p.at+bytes.IndexByte(p.text[p.at:], '\n')]
		p.number = p.line
		p.at += len(line) + 1
		p.line++
		if len(line) > 0 {
			p.rest = bytes.TrimLeft(line, " ")
			p.indent = len(line) - len(p.rest)
			return true
		}
	}
	p.ended = true
	return false
}

func (p *parser) node(n yaml.Node) *yaml.Node {
	if len(p.free) == cap(p.free) {
		p.free = make([]yaml.Node, 0, chunkSize)
	}
	p.free = append(p.free, n)
	return &p.free[len(p.free)-1]
}

// content removes the nodes above base from the stack and returns them.
func (p *parser) content(base int) []*yaml.Node {
	nodes := append(make([]*yaml.Node, 0, len(p.stack)-base), p.stack[base:]...)
	p.stack = p.stack[:base]
	return nodes
}

// mapping parses a map. Its first key is in the current line, which may begin with the dashes of
// lists: offset is the column of the key, counted from 0.
func (p *parser) mapping(offset, depth, column int) (*yaml.Node, bool) {
	if depth > maxDepth {
		return nil, false
	}
	node := p.node(yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: p.number, Column: column})
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
	case len(value) == 0:
		node, ok = p.nested(offset, depth)
	case len(value) == len(p.rest)-colon-1: // no space after the colon
		return false
	default:
		node, ok = p.scalar(value, offset, column)
	}
	if !ok {
		return false
	}
	p.stack = append(p.stack, node)
	return true
}

// key parses the key of a map whose keys and values so far are on the stack above base.
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

// nested parses a map or list that begins in the next line, as the value of a key at offset.
func (p *parser) nested(offset, depth int) (*yaml.Node, bool) {
	if !p.next() {
		return nil, false
	}
	switch {
	case p.indent >= offset && isItem(p.rest):
		return p.sequence(p.indent, depth+1)
	case p.indent > offset:
		return p.mapping(p.indent, depth+1, p.indent+1)
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
			item, ok = p.mapping(offset, depth+1, offset+1)
		} else {
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

// hasKey reports whether a text begins with a key rather than being a scalar.
func hasKey(text []byte) bool {
	colon := bytes.IndexByte(text, ':')
	return colon > 0 && isKey(text[:colon]) && (colon+1 == len(text) || text[colon+1] == ' ')
}

// scalar parses a scalar within a map or list at the given indentation, and moves to the line after
// it.
func (p *parser) scalar(text []byte, indent, column int) (*yaml.Node, bool) {
	if text[0] == '|' {
		return p.literal(text, indent, column)
	}
	switch first := text[0]; {
	case first == '{', first == '[':
		node, rest, ok := p.flow(text, column, 0)
		p.next()
		return node, ok && len(rest) == 0
	case first == '"', first == '\'':
		node, rest, ok := p.quoted(text, column)
		p.next()
		return node, ok && len(rest) == 0
	}
	tag := plainTag(text)
	node := p.node(yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: string(text), Line: p.number, Column: column})
	p.next()
	return node, tag != ""
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

// literal parses a literal block scalar within a map or list at the given indentation.
func (p *parser) literal(header []byte, indent, column int) (*yaml.Node, bool) {
	strip := string(header) == "|-"
	if !strip && len(header) > 1 {
		return nil, false
	}
	line := p.number
	if p.at >= len(p.text) || p.text[p.at] == '\n' || !p.next() || p.indent <= indent {
		return nil, false
	}
	block := p.indent
	var value strings.Builder
	value.Write(p.rest)
	number := p.number
	for p.next() && p.indent >= block {
		for ; number < p.number; number++ {
			value.WriteByte('\n')
		}
		for range p.indent - block {
			value.WriteByte(' ')
		}
		value.Write(p.rest)
	}
	if !p.ended && p.indent > indent {
		return nil, false
	}
	if !strip {
		value.WriteByte('\n')
	}
	return p.node(yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.LiteralStyle, Value: value.String(), Line: line, Column: column}), true
}
