// Package quickyaml parses simple YAML faster than the YAML library, with the same result. It
// rejects all other YAML; callers then use the library.
//
// Simple YAML is one document with a map, in printable ASCII. It has no anchors, tags, escapes,
// folded scalars or merge keys, and no scalar whose type depends on the version of YAML.
package quickyaml

import (
	"bytes"

	"go.yaml.in/yaml/v3"
)

const (
	maxDepth = 50
	maxKey   = 256
	maxKeys  = 100
	// firstChunk and chunkSize are numbers of nodes that are allocated together.
	firstChunk = 128
	chunkSize  = 16
)

// Parse returns the document node that yaml.Unmarshal would produce, but without comments. It returns
// false if the text is not simple, or if a literal block scalar or a value in flow style might have a
// comment.
func Parse(text []byte) (document *yaml.Node, ok bool) { return (&parser{}).parse(text) }

// count estimates the number of nodes in a text. It returns false if the text cannot be simple.
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
	// rest is the current line without its indentation, and number is its number. ended means that
	// there are no more lines.
	rest           []byte
	indent, number int
	ended          bool
	// at is the offset of the line after the current one; line is its number.
	at, line int
	// commented means that the text has a comment. fragile means that it has a node whose meaning for
	// callers may depend on whether the library attaches a comment to it.
	commented, fragile bool

	// free has allocated nodes. Those within its length are in use.
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
	if len(body) == len(text) {
		document.Line = p.number
	}
	root, ok := p.mapping(0, 0)
	if !ok || !p.ended || p.commented && p.fragile {
		return nil, false
	}
	document.Content = []*yaml.Node{root}
	return document, true
}

// next moves to the next line that has more than a comment. It returns false if there is none.
func (p *parser) next() bool {
	for p.nextText() {
		if p.rest[0] != '#' {
			return true
		}
		p.commented = true
	}
	return false
}

// skipComment moves to the next line if the current one is a comment. It reports whether there is no
// line left.
func (p *parser) skipComment() (ended bool) {
	if !p.ended && p.rest[0] == '#' {
		p.commented = true
		p.next()
	}
	return p.ended
}

// nextText moves to the next line that is not empty. It returns false if there is none.
func (p *parser) nextText() bool {
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
